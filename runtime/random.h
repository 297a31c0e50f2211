// The one source of randomness: a small generator per owner, seeded from one place.
#pragma once
#include <cstdint>

namespace weft::detail {

// Returns a new seed, different on every call.
std::uint64_t random_seed() noexcept;

// splitmix64: one add and two multiplications a number. Not for secrets. Owner only.
class random_source {
 public:
  random_source() noexcept : state_(random_seed()) {}
  explicit random_source(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [0, n), n > 0, by multiplication: the bias is below 2^-32.
  std::uint32_t below(std::uint32_t n) noexcept { return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace weft::detail
