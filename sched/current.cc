// Which M the calling thread is. In a file of its own and never inlined: a fiber may go on in
// another thread after any call, and the compiler keeps the address of a thread-local in a
// register across calls. A function that only returns the value cannot be fooled.
#include "sched/world.h"

namespace weft::detail {
namespace {

constinit thread_local M* m_of_thread __attribute__((tls_model("initial-exec"))) = nullptr;
constinit std::atomic<world*> running_world{nullptr};

}  // namespace

[[gnu::noinline]] M* this_m() noexcept { return m_of_thread; }
[[gnu::noinline]] m_face* this_m_face() noexcept { return m_of_thread; }
[[gnu::noinline]] void set_this_m(M* m) noexcept { m_of_thread = m; }

world* the_world() noexcept { return running_world.load(std::memory_order_acquire); }  // [the-world]
void set_the_world(world* w) noexcept { running_world.store(w, std::memory_order_release); }  // [the-world]

// Note [the-world]: a world is complete before it is announced; whoever finds it sees it whole.

}  // namespace weft::detail
