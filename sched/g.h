// G: a fiber. It lies at the top of its own stack, so that a parked fiber uses one page and no
// more.
//
// A G is made with its stack and stays with it; the fibers that run there change. Before it first
// runs, a fiber is a spawn record (weft/detail/spawn.h).
#pragma once
#include <weft/detail/fiber.h>
#include <weft/detail/holder.h>
#include <weft/detail/spawn.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/stack.h"
#include "runtime/switch.h"

namespace weft::detail {

enum g_flag : std::uint8_t {
  plain_thread = 1,  // stands in for an OS thread that waits; has no stack of its own
  locked_to_m = 2,   // runs on one M only
  abandoned = 4,     // its world has ended: never run again
  simulated = 8,     // with plain_thread: a fiber of a simulation. sched/sim/
};

enum class g_state : std::uint8_t { free, runnable, running, parked, blocked };

// Fiber-local values, destroyed in their fiber as its last step.
struct fiber_locals {
  virtual ~fiber_locals() = default;
  // Destroys the values one by one. Their destructors may use the remaining values, and make new
  // ones.
  virtual void end() = 0;
};

// The value of G::woken while a plain thread is parked without a deadline; 0 with one.
inline constexpr std::uint32_t sleeps_without_deadline = 2;

struct G : runnable {
  // Read by any M, for dumps; written by the M that runs or parks the fiber.
  std::atomic<g_state> state{g_state::free};
  std::atomic<wait_reason> reason{wait_reason::none};
  stack_context context;           // valid while the fiber is off its stack; left_at: a second of the coarse clock
  // A switch needs only the fields above: one cache line.

  const holder* waits_on = nullptr;  // as reason: the holder it waits for; null: no holder is known
  const void* captured = nullptr;  // roughly the address of the variables of the closure that runs here
  std::uint32_t thread_locks = 0;  // owner: depth of lock_os_thread
  std::uint64_t id = 0;
  const void* site = nullptr;      // code address of the go statement
  spawn_record* record = nullptr;  // the closure that runs here
  M* locked_m = nullptr;           // with locked_to_m
  std::unique_ptr<fiber_locals> locals;  // fiber-local storage, if the fiber made any
  stack where;                     // the stack it lies on
  std::byte* stack_top = nullptr;  // where frames begin: below this G
  std::atomic<std::uint32_t> woken{0};  // plain_thread: the word it sleeps on; 1: woken
};

// The spawn extras of a fiber that has them, else null.
const spawn_extras* extras_of(const spawn_record* r) noexcept;
// Their address, if `r` has_extras.
const spawn_extras* extras_of_named(const spawn_record* r) noexcept;

// Returns roughly the address of the closure of `r`.
const void* closure_of(const spawn_record* r) noexcept;

// A fault of weft: ends the process rather than run a fiber twice. "fiber 7 is made ready, but it
// is running".
[[noreturn]] void impossible(const char* what_happens, const G& g) noexcept;

// Returns a G on a new or rested stack of `arena`. Ends the process if there is no address space
// for one.
G* make_g(stack_arena& arena) noexcept;

// The G of a stack; the stack may never have been used (state free, id 0).
G* g_of(const stack& s) noexcept;

// By the owner of g; at the end of a world by run(), for any g.
inline void set_flag(G& g, g_flag f) noexcept { std::atomic_ref(g.flags).fetch_or(f, std::memory_order_relaxed); }
inline void clear_flag(G& g, g_flag f) noexcept {
  std::atomic_ref(g.flags).fetch_and(static_cast<std::uint8_t>(~f), std::memory_order_relaxed);
}

}  // namespace weft::detail
