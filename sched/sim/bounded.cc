// Breadth first: the schedule without a deviation, then all with one, then all with two, and so on.
// Each schedule that is run shows at which decisions after its last deviation there were others to
// choose, and those are its successors. So no schedule is run twice, and the first failure has as
// few deviations as any.
#include "sched/sim/bounded.h"

#include <deque>

namespace weft::detail {
namespace {

class enumerating final : public explorer, chooser {
 public:
  enumerating(int depth, std::size_t most) : depth_(static_cast<std::size_t>(depth)), most_(most) {
    waiting_.emplace_back();
  }

  chooser* begin(std::size_t) override {
    if (waiting_.empty()) return nullptr;
    now_ = std::move(waiting_.front());
    waiting_.pop_front();
    ++taken_;
    made_ = 0;
    return this;
  }

  std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) override {
    if (const deviation* d = due(at, false)) {
      for (std::size_t i = 1; i < among.size(); ++i)
        if (among[i].fiber == d->what) {
          ++made_;
          return i;
        }
      return 0;
    }
    if (may_branch())
      for (std::size_t i = 1; i < among.size() && has_room(); ++i) branch({at.fiber, at.number, false, among[i].fiber});
    return 0;
  }
  std::uint64_t value(const sim_decision& at, std::uint64_t n) override {
    if (const deviation* d = due(at, true)) {
      ++made_;
      return d->what < n ? d->what : 0;
    }
    if (may_branch())
      for (std::uint64_t v = 1; v < n && has_room(); ++v) branch({at.fiber, at.number, true, v});
    return 0;
  }
  bool coin(const sim_decision& at, std::uint64_t) override { return value(at, 2) != 0; }

 private:
  const deviation* due(const sim_decision& at, bool is_value) const noexcept {
    if (made_ == now_.size()) return nullptr;
    const deviation& d = now_[made_];
    return d.fiber == at.fiber && d.number == at.number && d.is_value == is_value ? &d : nullptr;
  }
  bool may_branch() const noexcept { return made_ == now_.size() && now_.size() < depth_; }
  bool has_room() const noexcept { return taken_ + waiting_.size() < most_; }
  void branch(const deviation& d) {
    std::vector<deviation> next = now_;
    next.push_back(d);
    waiting_.push_back(std::move(next));
  }

  const std::size_t depth_, most_;
  std::size_t taken_ = 0;
  std::deque<std::vector<deviation>> waiting_;  // in the order in which they are run
  std::vector<deviation> now_;                  // in the order in which their decisions come up
  std::size_t made_ = 0;
};

}  // namespace

std::unique_ptr<explorer> make_bounded(int depth, std::size_t schedules) {
  return std::make_unique<enumerating>(depth, schedules);
}

}  // namespace weft::detail
