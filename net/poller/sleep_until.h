// Waits in an epoll until something happens, or the clock reaches a deadline. The number of events, or 0.
#pragma once
#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "runtime/clock.h"

namespace weft::detail {

template <std::size_t N>
int epoll_until(int epoll, epoll_event (&events)[N], std::int64_t deadline_ns) noexcept {
  timespec left{};
  if (deadline_ns != never) {
    const std::int64_t ns = deadline_ns - now_ns();
    if (ns > 0) left = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  }
  int n = epoll_pwait2(epoll, events, static_cast<int>(N), deadline_ns == never ? nullptr : &left, nullptr);
  if (n < 0 && errno == ENOSYS) {  // before 5.11: whole milliseconds
    const std::int64_t ms = left.tv_sec * 1000 + (left.tv_nsec + 999'999) / 1'000'000;
    n = epoll_wait(epoll, events, static_cast<int>(N),
                   deadline_ns == never ? -1 : static_cast<int>(ms < 1'000'000 ? ms : 1'000'000));
  }
  return n < 0 ? 0 : n;
}

}  // namespace weft::detail
