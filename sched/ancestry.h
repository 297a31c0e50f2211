// Who has started whom: WEFT_DEBUG=ancestors=N. A fiber knows the go statement that started it; here is kept which
// fiber ran that, which fiber had started that one, and so on, though they may all have ended.
//
// Nothing is paid without the word: with it each fiber takes an id of its own from the world, not from its P's
// batch, and comes by here on that slow path.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace weft::detail {

struct ancestor {
  std::uint64_t id;
  const void* site;  // where it was started itself

  bool operator==(const ancestor&) const = default;
};

class ancestry {
 public:
  explicit ancestry(int depth) : depth_(static_cast<std::size_t>(depth)) {}

  void note_start(std::uint64_t id, ancestor by);
  void note_end(std::uint64_t id) noexcept;
  // The one that has started it first.
  std::vector<ancestor> of(std::uint64_t id) const;

 private:
  const std::size_t depth_;
  mutable spin_lock lock_;
  std::unordered_map<std::uint64_t, std::vector<ancestor>> alive_;  // under lock_
};

}  // namespace weft::detail
