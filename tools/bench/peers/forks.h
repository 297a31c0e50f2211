// The fork-join programs, written once for weft and the C++ peers. `Fork` is a peer's way to fork:
//   both(f, g)   calls f and g in parallel
//   each(n, f)   calls f(0), ..., f(n - 1) in parallel
//   sum(n, f)    f(0) + ... + f(n - 1), computed in parallel
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace forks {

template <class Fork>
std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  std::int64_t x = 0, y = 0;
  Fork::both([&x, n] { x = fib<Fork>(n - 1); }, [&y, n] { y = fib<Fork>(n - 2); });
  return x + y;
}

template <class Fork>
std::int64_t sum_leaves(std::int64_t number, std::int64_t leaves) {
  if (leaves < 2) return number;
  const std::int64_t part = leaves / 10;
  return Fork::sum(10, [=](std::int64_t i) { return sum_leaves<Fork>(number + i * part, part); });
}

// The ways to place queens in the remaining rows. A bit is a column that is taken, straight or
// along a diagonal.
template <class Fork>
std::int64_t queens(std::uint32_t all, std::uint32_t columns, std::uint32_t left, std::uint32_t right) {
  if (columns == all) return 1;
  std::array<std::uint32_t, 32> places;
  std::int64_t count = 0;
  for (std::uint32_t open = all & ~(columns | left | right); open != 0; open &= open - 1)
    places[static_cast<std::size_t>(count++)] = open & (~open + 1);
  return Fork::sum(count, [&, all](std::int64_t i) {
    const std::uint32_t place = places[static_cast<std::size_t>(i)];
    return queens<Fork>(all, columns | place, (left | place) << 1, (right | place) >> 1);
  });
}

// Parts of at most this length are sorted without a fork.
inline constexpr std::size_t short_part = 16;

inline void insertion_sort(std::span<std::int32_t> part) {
  for (std::size_t i = 1; i < part.size(); ++i) {
    const std::int32_t moved = part[i];
    std::size_t to = i;
    for (; to > 0 && part[to - 1] > moved; --to) part[to] = part[to - 1];
    part[to] = moved;
  }
}

// Moves what is less than the middle element to the front, and what is greater to the back. Returns
// where the back begins.
inline std::size_t partition(std::span<std::int32_t> part) {
  const std::int32_t pivot = part[part.size() / 2];
  for (std::size_t low = 0, high = part.size() - 1;; ++low, --high) {
    while (part[low] < pivot) ++low;
    while (part[high] > pivot) --high;
    if (low >= high) return high + 1;
    std::swap(part[low], part[high]);
  }
}

template <class Fork>
void quicksort(std::span<std::int32_t> part) {
  if (part.size() <= short_part) return insertion_sort(part);
  const std::size_t at = partition(part);
  Fork::both([=] { quicksort<Fork>(part.first(at)); }, [=] { quicksort<Fork>(part.subspan(at)); });
}

// `scratch` is as long as `part`.
template <class Fork>
void mergesort(std::span<std::int32_t> part, std::span<std::int32_t> scratch) {
  if (part.size() <= short_part) return insertion_sort(part);
  const std::size_t half = part.size() / 2;
  Fork::both([=] { mergesort<Fork>(part.first(half), scratch.first(half)); },
             [=] { mergesort<Fork>(part.subspan(half), scratch.subspan(half)); });
  for (std::size_t i = 0; i < part.size(); ++i) scratch[i] = part[i];
  std::size_t a = 0, b = half;
  for (std::int32_t& to : part)
    to = b == part.size() || (a < half && scratch[a] <= scratch[b]) ? scratch[a++] : scratch[b++];
}

// The product of two square matrices, a branch for each row.
template <class Fork>
void multiply(std::int64_t size, const std::vector<double>& a, const std::vector<double>& b, std::vector<double>& to) {
  Fork::each(size, [&, size](std::int64_t row) {
    const auto line = [size](auto& matrix, std::int64_t i) { return matrix.data() + i * size; };
    double* out = line(to, row);
    for (std::int64_t k = 0; k < size; ++k) {
      const double factor = line(a, row)[k];
      const double* in = line(b, k);
      for (std::int64_t column = 0; column < size; ++column) out[column] += factor * in[column];
    }
  });
}

// Numbers that look random, the same in each peer.
inline std::vector<std::int32_t> numbers(std::int64_t n) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(n));
  std::uint32_t state = 1;
  for (std::int32_t& it : out) {
    state = state * 1664525 + 1013904223;
    it = static_cast<std::int32_t>(state >> 1);
  }
  return out;
}

// Differs for most arrangements of the same numbers.
inline std::int64_t checksum(const std::vector<std::int32_t>& sorted) {
  std::int64_t sum = 0;
  for (const std::int32_t it : sorted) sum = (sum * 31 + it) % 1000003;
  return sum;
}

// How many forks fib(n) makes.
inline std::int64_t forks_of_fib(std::int64_t n) {
  std::int64_t last = 0, now = 0;
  for (std::int64_t i = 2; i <= n; ++i) last = std::exchange(now, last + now + 1);
  return now;
}

// `ops` operations took `elapsed`; `value` is the same in each peer.
struct outcome {
  const char* op;
  std::int64_t ops;
  std::chrono::nanoseconds elapsed;
  std::int64_t value;
};

template <class Work>
outcome timed(const char* op, std::int64_t ops, Work work) {
  const auto began = std::chrono::steady_clock::now();
  const std::int64_t value = work();
  return {op, ops, std::chrono::steady_clock::now() - began, value};
}

template <class Fork>
outcome run_fib(std::int64_t n) {
  return timed("fork", forks_of_fib(n), [n] { return fib<Fork>(n); });
}

template <class Fork>
outcome run_skynet(std::int64_t leaves) {
  return timed("leaf", leaves, [leaves] { return sum_leaves<Fork>(0, leaves); });
}

template <class Fork>
outcome run_queens(std::int64_t n) {
  if (n > 31) throw std::invalid_argument("nqueens: -n is at most 31");
  const std::uint32_t all = (1u << n) - 1;
  return timed("board", 1, [all] { return queens<Fork>(all, 0, 0, 0); });
}

template <class Sort>
outcome run_sort(std::int64_t n, Sort sort) {
  std::vector<std::int32_t> all = numbers(n);
  outcome out = timed("number", n, [&] {
    sort(std::span(all));
    return std::int64_t{0};
  });
  out.value = checksum(all);
  return out;
}

template <class Fork>
outcome run_quicksort(std::int64_t n) {
  return run_sort(n, quicksort<Fork>);
}

template <class Fork>
outcome run_mergesort(std::int64_t n) {
  std::vector<std::int32_t> scratch(static_cast<std::size_t>(n));
  return run_sort(n, [&](std::span<std::int32_t> all) { mergesort<Fork>(all, std::span(scratch)); });
}

template <class Fork>
outcome run_matmul(std::int64_t size) {
  const auto cells = static_cast<std::size_t>(size * size);
  std::vector<double> a(cells), b(cells), product(cells);
  for (std::size_t i = 0; i < cells; ++i) a[i] = static_cast<double>(i % 7), b[i] = static_cast<double>(i % 5);
  return timed("row", size, [&] {
    multiply<Fork>(size, a, b, product);
    return static_cast<std::int64_t>(product.back());
  });
}

}  // namespace forks
