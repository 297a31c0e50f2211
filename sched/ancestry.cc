#include "sched/ancestry.h"

#include <mutex>
#include <utility>

namespace weft::detail {

void ancestry::note_start(std::uint64_t id, ancestor by) {
  std::vector<ancestor> line{by};
  for (const ancestor& a : of(by.id))
    if (line.size() < depth_) line.push_back(a);
  const std::lock_guard hold(lock_);
  alive_[id] = std::move(line);
}

void ancestry::record_fiber_end(std::uint64_t id) noexcept {
  const std::lock_guard hold(lock_);
  alive_.erase(id);
}

std::vector<ancestor> ancestry::of(std::uint64_t id) const {
  const std::lock_guard hold(lock_);
  const auto at = alive_.find(id);
  return at == alive_.end() ? std::vector<ancestor>() : at->second;
}

}  // namespace weft::detail
