// A larger stack for one call: std::regex, a parser or a recursive algorithm that needs more than
// the fiber has.
//
//   const bool fits = weft::with_stack(8 << 20, [&] { return std::regex_match(text, pattern); });
//
// docs/stacks.md says what needs how much.
#pragma once
#include <weft/detail/requirements.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {
void call_with_stack(std::size_t bytes, void (*f)(void*), void* arg);
}  // namespace detail

// Calls f() on a stack of at least `bytes` usable bytes, 16 KiB to 1 GiB, and returns its result.
// It is the same fiber: f may do all that a fiber may, block included; exceptions that leave f
// reach the caller; dumps show the frames on both stacks. The stack comes from a pool and goes back
// to it when f ends. A call costs some tens of nanoseconds while the pool has a stack that was used
// recently, and page faults otherwise. Throws weft::panic if `bytes` is out of range, and
// std::bad_alloc if there is no address space. On a plain thread calls f() on the thread's own
// stack.
template <class F>
std::invoke_result_t<F&> with_stack(std::size_t bytes, F&& f) {
  using R = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<R>) {
    auto call = [&] { std::invoke(f); };
    detail::call_with_stack(
        bytes, [](void* at) { (*static_cast<decltype(call)*>(at))(); }, std::addressof(call));
  } else if constexpr (std::is_reference_v<R>) {
    std::remove_reference_t<R>* result = nullptr;
    with_stack(bytes, [&] { result = std::addressof(std::invoke(f)); });
    return static_cast<R>(*result);
  } else {
    std::optional<R> result;
    with_stack(bytes, [&] { result.emplace(std::invoke(f)); });
    return std::move(*result);
  }
}

}  // namespace weft
