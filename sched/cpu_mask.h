// A set of CPUs, and the threads' affinity.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weft::detail {

struct cpu_mask {
  static constexpr int max_cpus = 2048;  // the masks lie on fibers' stacks
  std::array<std::uint64_t, max_cpus / 64> words{};

  bool has(int cpu) const noexcept { return words[static_cast<std::size_t>(cpu / 64)] >> (cpu % 64) & 1; }
  void add(int cpu) noexcept { words[static_cast<std::size_t>(cpu / 64)] |= std::uint64_t{1} << (cpu % 64); }
  void add(const cpu_mask& o) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] |= o.words[i];
  }
  int count() const noexcept {
    int n = 0;
    for (const std::uint64_t w : words) n += std::popcount(w);
    return n;
  }
  bool operator==(const cpu_mask&) const = default;
};

inline cpu_mask both(const cpu_mask& a, const cpu_mask& b) noexcept {
  cpu_mask c;
  for (std::size_t i = 0; i < c.words.size(); ++i) c.words[i] = a.words[i] & b.words[i];
  return c;
}

// The CPUs on which the thread may run. Returns 0 or the error.
int read_affinity(long tid, cpu_mask& into) noexcept;
int write_affinity(long tid, const cpu_mask& cpus) noexcept;

}  // namespace weft::detail
