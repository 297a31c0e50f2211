// Printing from fibers: every call writes its text immediately, in one piece, and records it with
// its fiber.
#pragma once
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace lesson {

// Go's fmt.Print: unbuffered, so the order on the screen is the order of the calls.
void put(std::string_view text);

template <class... Args>
void print(fmt::format_string<Args...> f, Args&&... args) {
  put(fmt::format(f, std::forward<Args>(args)...));
}

// Names the calling fiber in pictures, where it could not be named at its start.
void name_fiber(std::string_view name);

// Computes for `rounds` rounds of about a nanosecond each.
void work(long rounds) noexcept;

}  // namespace lesson
