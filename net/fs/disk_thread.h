// Calls that may wait for a disk, on threads that may wait.
//
// At most 64 at a time: more do not make a disk faster. A call that takes long (a network file
// system that hangs) waits for something else than a busy disk, so after 50 ms it no longer counts,
// up to 512 of them: others take its place.
#pragma once
#include <utility>

namespace weft::detail {

// Runs f(arg) while other fibers run; waits for a place before. From a plain thread: calls f. If no
// OS thread may be made for the other fibers, they wait until f has returned.
void on_disk_thread(void (*f)(void*), void* arg);
template <class F>
auto on_disk_thread(F f) {
  struct call {
    F f;
    decltype(f()) result{};
  } c{std::move(f)};
  on_disk_thread(
      [](void* at) {
        auto* self = static_cast<call*>(at);
        self->result = self->f();
      },
      &c);
  return std::move(c.result);
}

}  // namespace weft::detail
