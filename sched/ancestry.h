// Which fibers have started which: WEFT_DEBUG=ancestors=N. A G has the go statement that started
// its fiber. This file keeps the id of the fiber that ran that statement, of the fiber that started
// that one, and of the earlier ones, though they may all have ended.
//
// Without this setting it costs nothing. With it each fiber takes an id from the world, not from
// its P's batch, and is recorded on that slow path.
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
  void record_fiber_end(std::uint64_t id) noexcept;
  // The direct parent first.
  std::vector<ancestor> of(std::uint64_t id) const;

 private:
  const std::size_t depth_;
  mutable spin_lock lock_;
  std::unordered_map<std::uint64_t, std::vector<ancestor>> alive_;  // under lock_
};

}  // namespace weft::detail
