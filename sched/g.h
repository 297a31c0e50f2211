// G: a fiber. It lies at the top of its own stack, so that a parked fiber is one page and no more.
//
// A G is made with its stack and stays with it; the fibers that run there come and go. What a
// fiber is before it first runs is a spawn record (weft/detail/spawn.h).
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
};

enum class g_state : std::uint8_t { free, runnable, running, parked, blocked };

// Fiber-local values, destroyed in their fiber as its last act.
struct fiber_locals {
  virtual ~fiber_locals() = default;
  // Destroys the values one by one. Their destructors may use those that are left, and make more.
  virtual void end() = 0;
};

struct G : runnable {
  // Any M reads, for dumps; the M that runs or parks the fiber writes.
  std::atomic<g_state> state{g_state::free};
  std::atomic<wait_reason> reason{wait_reason::none};
  stack_context context;           // valid while the fiber is off its stack; left_at: a second of the coarse clock
  // All above is what a switch needs: one cache line.

  const holder* waits_on = nullptr;  // as reason: who could let it go on; null: nobody can be named
  const void* captured = nullptr;  // about where the closure that runs here has its variables
  std::uint32_t thread_locks = 0;  // owner: depth of lock_os_thread
  std::uint64_t id = 0;
  const void* site = nullptr;      // code address of the go statement
  spawn_record* record = nullptr;  // the closure that runs here
  M* locked_m = nullptr;           // with locked_to_m
  std::unique_ptr<fiber_locals> locals;  // fiber-local storage, if the fiber made any
  stack where;                     // the stack it lies on
  std::byte* stack_top = nullptr;  // where frames begin: below this G
  std::atomic<std::uint32_t> woken{0};  // plain_thread: the word it sleeps on
};

// The spawn extras of a fiber that has them, else null.
const spawn_extras* extras_of(const spawn_record* r) noexcept;
// Where they lie, if `r` has_extras.
const spawn_extras* extras_of_named(const spawn_record* r) noexcept;

// About where the closure of `r` lies.
const void* closure_of(const spawn_record* r) noexcept;

// Our own fault: ends the process rather than run a fiber twice. "fiber 7 is made ready, but it is running".
[[noreturn]] void impossible(const char* what_happens, const G& g) noexcept;

// A G on a new or rested stack of `stack_size` bytes. Ends the process if there is no address space for one.
G* make_g(std::size_t stack_size) noexcept;

// Where the G of a stack lies; the stack may never have been used (state free, id 0).
G* g_of(const stack& s) noexcept;

}  // namespace weft::detail
