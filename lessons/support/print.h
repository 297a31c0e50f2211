// Printing from fibers: every call is written at once, in one piece, and remembered with its fiber.
#pragma once
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace lesson {

// Like Go's fmt.Print: unbuffered, so that the order on the screen is
// the order of the calls.
void put(std::string_view text);

template <class... Args>
void print(fmt::format_string<Args...> f, Args&&... args) {
  put(fmt::format(f, std::forward<Args>(args)...));
}

// `rounds` of arithmetic, each about a nanosecond: work that costs CPU time wherever it runs.
void work(long rounds) noexcept;

}  // namespace lesson
