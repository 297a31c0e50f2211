// The M of the calling thread. In a separate file and never inlined: a fiber may resume in another
// thread after any call, and the compiler keeps the address of a thread-local in a register across
// calls. A function that only returns the value is not affected.
#include "sched/current.h"

#include <weft/detail/stripe.h>

#include <algorithm>
#include <bit>

#include "runtime/cpu_count.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

constinit thread_local M* m_of_thread __attribute__((tls_model("initial-exec"))) = nullptr;
constinit std::atomic<world*> running_world{nullptr};
constinit thread_local unsigned number_of_thread __attribute__((tls_model("initial-exec"))) = 0;  // 0: none yet

[[gnu::noinline]] unsigned number_this_thread() noexcept {
  static constinit std::atomic<unsigned> last{0};
  if (number_of_thread == 0) number_of_thread = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return number_of_thread;
}

unsigned stripe_of(const M* m) noexcept {
  const P* p = m ? m->p : nullptr;
  return p ? static_cast<unsigned>(p->id) : number_this_thread();
}

}  // namespace

[[gnu::noinline]] M* this_m() noexcept { return m_of_thread; }
[[gnu::noinline]] m_face* this_m_face() noexcept { return m_of_thread; }
[[gnu::noinline]] void set_this_m(M* m) noexcept { m_of_thread = m; }

[[gnu::noinline]] unsigned current_stripe() noexcept { return stripe_of(m_of_thread); }

[[gnu::noinline]] place current_place() noexcept {
  M* const m = m_of_thread;
  return {m, stripe_of(m)};
}

unsigned stripe_count() noexcept {
  static const unsigned n = std::bit_ceil(static_cast<unsigned>(std::clamp(cpu_count(), 1, 64)));
  return n;
}

world* the_world() noexcept { return running_world.load(std::memory_order_acquire); }  // [the-world]
void set_the_world(world* w) noexcept { running_world.store(w, std::memory_order_seq_cst); }  // [the-world], [solo]

// Note [the-world]: a world is complete before it is published; a thread that acquires it sees it
// complete.

}  // namespace weft::detail
