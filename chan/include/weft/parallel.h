// Fork-join: running branches of a computation in parallel where a P is free. Go has no such call;
// it replaces a go statement for each branch and a wait group.
//
//   int fib(int n) {
//     if (n < 2) return n;
//     int a, b;
//     weft::parallel_invoke([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
//     return a + b;
//   }
//   weft::parallel_for(0, rows, [&](int i) { multiply_row(i); });
//   double sum = weft::parallel_reduce(0, n, 0.0, [&](int i) { return v[i]; }, std::plus<>());
//
// A branch costs a few nanoseconds and no stack unless another P takes it. A branch that another P
// takes runs in a fiber of its own: fiber_local variables, this_fiber::id() and the OS thread
// differ there.
//
// A branch may block on anything, at any depth, and may itself fork. Before a fiber suspends, its
// branches that have not begun get fibers of their own, so a branch that blocks does not hold up
// the others. A call returns when all its branches have ended; it blocks for the branches that
// other fibers run. In a region of weft::no_suspend a call may therefore end the process.
//
// A fiber that is locked to its thread runs all branches itself. On a plain thread the call runs in
// a new fiber while a world runs, and sequentially on the thread while none does. Not from signal
// handlers.
#pragma once
#include <weft/detail/fork_join.h>
#include <weft/detail/parallel_range.h>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

// Options of parallel_for and parallel_reduce.
struct parallel_options {
  // Iterations that run in one piece, on one fiber, without a check for idle Ps; 0: chosen from the
  // time that they take, so that a piece lasts 1 to 4 microseconds, and 1 for iterations that take
  // longer. Give 1 if most iterations are short and some block. weft::panic if negative.
  std::ptrdiff_t grain = 0;
};

// Calls f() in the calling fiber, and each of gs, in order, after it or in another fiber at the
// same time. Returns when all have returned. All are called even if one throws; then rethrows the
// exception of the first of them in the order of the arguments. If one calls goexit, the caller
// does too, after all that have begun have ended. Throws std::bad_alloc only on a plain thread.
template <class F, class... Gs>
  requires std::invocable<F&> && (std::invocable<Gs&> && ...)
void parallel_invoke(F&& f, Gs&&... gs) {
  if constexpr (sizeof...(Gs) == 0) {
    f();
  } else {
    detail::on_fiber(detail::code_address(),
                     [&](detail::m_face* m, const void* site) { detail::invoke_all(m, site, f, gs...); });
  }
}

// Calls body(i) for each i from `first` up to but not including `last`, in any order and at the
// same time on several Ps. I is an integer or a random access iterator. body is shared by all
// fibers. If calls throw, rethrows the exception of the smallest i among them; iterations that have
// not begun by then may be left out. Throws weft::panic if the grain is negative.
template <class I, class Body>
  requires detail::range_index<I> && std::invocable<Body&, I>
void parallel_for(I first, I last, Body&& body, parallel_options o = {}) {
  detail::check_grain(o.grain);
  if (!(first < last)) return;
  detail::on_fiber(detail::code_address(),
                   [&](detail::m_face* m, const void* site) { detail::run_for(m, first, last, body, o.grain, site); });
}

// The same over a random access range: body(element). The range must outlive the call.
template <detail::indexed_range R, class Body>
void parallel_for(R&& range, Body&& body, parallel_options o = {}) {
  const auto begin = std::begin(range);
  parallel_for(
      std::ptrdiff_t{0}, static_cast<std::ptrdiff_t>(std::size(range)), [&](std::ptrdiff_t i) { body(begin[i]); }, o);
}

// Returns join(...join(join(init, map(first)), map(first + 1))..., map(last - 1)), computed in
// pieces: join must be associative, and need not be commutative. Values are joined in the order of
// their indices. T is movable; map and join are shared by all fibers. `init` is used once, at the
// front. Exceptions and grain as for parallel_for.
template <class I, class T, class Map, class Join>
  requires detail::range_index<I> && std::invocable<Map&, I> && std::invocable<Join&, T, T>
T parallel_reduce(I first, I last, T init, Map&& map, Join&& join, parallel_options o = {}) {
  detail::check_grain(o.grain);
  if (!(first < last)) return init;
  std::optional<T> result;
  detail::on_fiber(detail::code_address(), [&](detail::m_face* m, const void* site) {
    result.emplace(detail::run_reduce<T>(m, first, last, std::move(init), map, join, o.grain, site));
  });
  return std::move(*result);
}

}  // namespace weft
