// Waits in an epoll until something happens, or the clock reaches a deadline. Returns the number of
// events, or 0. Ends the process if the kernel refuses every way to wait.
#pragma once
#include <fmt/format.h>
#include <sys/epoll.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "runtime/clock.h"
#include "runtime/fatal.h"

namespace weft::detail {

// A sandbox or an old container runtime may refuse the newer call, with ENOSYS or EPERM. From then
// on the older is used.
inline std::atomic<bool> epoll_pwait2_refused{false};

template <std::size_t N>
int epoll_until(int epoll, epoll_event (&events)[N], std::int64_t deadline_ns) noexcept {
  timespec left{};
  if (deadline_ns != never) {
    const std::int64_t ns = deadline_ns - now_ns();
    if (ns > 0) left = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  }
  int n = -1;
  if (!epoll_pwait2_refused.load(std::memory_order_relaxed)) {
    n = epoll_pwait2(epoll, events, static_cast<int>(N), deadline_ns == never ? nullptr : &left, nullptr);
    if (n < 0 && (errno == ENOSYS || errno == EPERM)) epoll_pwait2_refused.store(true, std::memory_order_relaxed);
  }
  if (n < 0 && epoll_pwait2_refused.load(std::memory_order_relaxed)) {  // whole milliseconds
    const std::int64_t ms = left.tv_sec * 1000 + (left.tv_nsec + 999'999) / 1'000'000;
    n = epoll_wait(epoll, events, static_cast<int>(N),
                   deadline_ns == never ? -1 : static_cast<int>(ms < 1'000'000 ? ms : 1'000'000));
  }
  if (n < 0 && errno != EINTR) fatal(fmt::format("the kernel refuses to wait in epoll: {}", std::strerror(errno)));
  return n < 0 ? 0 : n;
}

}  // namespace weft::detail
