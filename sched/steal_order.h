// The order in which a thief visits the Ps: every one once, from a random start by a random step
// that shares no factor with their number. No allocation, and no convoy of thieves on P 0.
#pragma once
#include <cstdint>
#include <numeric>

namespace weft::detail {

class steal_order {
 public:
  // All of [0, count) once, in an order that `random` picks; count > 0.
  steal_order(std::uint32_t count, std::uint64_t random) noexcept
      : count_(count), left_(count), at_(static_cast<std::uint32_t>(random) % count), step_(1) {
    if (count < 3) return;
    step_ = 1 + static_cast<std::uint32_t>(random >> 32) % (count - 1);
    while (std::gcd(step_, count) != 1) step_ = step_ % (count - 1) + 1;
  }
  bool done() const noexcept { return left_ == 0; }
  std::uint32_t position() const noexcept { return at_; }
  void next() noexcept {
    --left_;
    at_ = (at_ + step_) % count_;
  }

 private:
  std::uint32_t count_, left_, at_, step_;
};

}  // namespace weft::detail
