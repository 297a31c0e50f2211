// Random, pct and pos. See bounded.cc for the fourth.
//
// Refused: one bias for all schedules of `random`. Bugs that need many switches and bugs that need
// one in a long run both occur, so each schedule draws how often it switches. Bugs that need some
// fibers to be late for the whole schedule occur too: in one schedule of four the fibers have
// ranks, which seldom change.
#include "sched/sim/strategies.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "sched/sim/bounded.h"

namespace weft::detail {
namespace {

std::uint64_t seed_of(std::uint64_t seed, std::size_t schedule) noexcept {
  random_source r(seed);
  random_source s(r.next() + schedule);
  return s.next();
}

// What the three have in common: values and coins.
class drawing : public chooser {
 public:
  void begin(std::uint64_t seed) {
    random_ = random_source(seed);
    coins_ = random_.next();
    reset();
  }
  std::uint64_t value(const sim_decision&, std::uint64_t n) override {
    if (n <= UINT32_MAX) return random_.below(static_cast<std::uint32_t>(n));
    return random_.next() % n;
  }
  bool coin(const sim_decision&, std::uint64_t name_hash) override {
    const bool enabled = random_source(coins_ ^ name_hash).below(4) == 0;
    return random_.below(4) == 0 && enabled;
  }

 protected:
  virtual void reset() = 0;
  random_source random_{1};

 private:
  std::uint64_t coins_ = 0;
};

class by_random final : public drawing {
 public:
  std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) override {
    if (ranked_) return by_rank(at, among);
    if (at.may_stay && stickiness_ > 0 && random_.below(1u << stickiness_) != 0) return 0;
    return random_.below(static_cast<std::uint32_t>(among.size()));
  }

 private:
  void reset() override {
    ranks_.clear();
    ranked_ = random_.below(4) == 0;
    if (!ranked_) stickiness_ = random_.below(5);
  }
  std::size_t by_rank(const sim_decision& at, std::span<const sim_candidate> among) {
    if (at.stands_back || random_.below(change_one_in) == 0) ranks_[at.fiber] = random_.next();
    std::size_t best = 0;
    for (std::size_t i = 1; i < among.size(); ++i)
      if (rank_of(among[i].fiber) > rank_of(among[best].fiber)) best = i;
    if (among[best].fiber == 0) ranks_[0] = random_.next();  // the clock
    return best;
  }
  std::uint64_t rank_of(std::uint64_t fiber) {
    const auto [at, added] = ranks_.try_emplace(fiber, 0);
    if (added) at->second = random_.next();
    return at->second;
  }
  static constexpr std::uint32_t change_one_in = 32;
  bool ranked_ = false;
  std::uint32_t stickiness_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> ranks_;  // never walked
};

// Probabilistic concurrency testing: a bug of depth d is found with a probability of at least 1 /
// (n k^(d-1)) for n fibers and k steps.
class by_pct final : public drawing {
 public:
  explicit by_pct(int depth) noexcept : depth_(depth) {}
  std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) override {
    while (!changes_.empty() && at.step >= changes_.back()) {
      changes_.pop_back();
      priority_[at.fiber] = --lowest_;
    }
    if (at.stands_back) priority_[at.fiber] = --lowest_;
    std::size_t best = 0;
    for (std::size_t i = 1; i < among.size(); ++i)
      if (of(among[i].fiber) > of(among[best].fiber)) best = i;
    if (among[best].fiber == 0) priority_[0] = --lowest_;  // the clock: once
    return best;
  }
  void started(std::uint64_t fiber) override { priority_[fiber] = static_cast<std::int64_t>(random_.next() >> 2); }
  void has_ended_after(std::size_t steps) noexcept { longest_ = std::max(longest_, steps); }

 private:
  std::int64_t of(std::uint64_t fiber) {
    const auto [at, added] = priority_.try_emplace(fiber, 0);
    if (added) at->second = static_cast<std::int64_t>(random_.next() >> 2);
    return at->second;
  }
  void reset() override {
    priority_.clear();
    changes_.clear();
    lowest_ = 0;
    for (int i = 1; i < depth_; ++i) changes_.push_back(random_.below(static_cast<std::uint32_t>(longest_)) + 1);
    std::sort(changes_.rbegin(), changes_.rend());
  }
  const int depth_;
  std::size_t longest_ = 32;  // steps of a schedule so far
  std::int64_t lowest_ = 0;
  std::vector<std::size_t> changes_;  // steps, the next last
  std::unordered_map<std::uint64_t, std::int64_t> priority_;  // never walked: its order is no choice
};

// Partial order sampling: the operation with the highest priority goes first, and those on the same
// object draw again.
class by_pos final : public drawing {
 public:
  std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) override {
    priority_[at.fiber] = random_.next();  // its operation is new
    std::size_t best = 0;
    for (std::size_t i = 1; i < among.size(); ++i)
      if (of(among[i].fiber) > of(among[best].fiber)) best = i;
    if (among[best].fiber == 0) priority_[0] = random_.next();  // the clock: its operation is new too
    if (const void* object = among[best].object)
      for (std::size_t i = 0; i < among.size(); ++i)
        if (i != best && among[i].object == object) priority_[among[i].fiber] = random_.next();
    return best;
  }

 private:
  std::uint64_t of(std::uint64_t fiber) {
    const auto [at, added] = priority_.try_emplace(fiber, 0);
    if (added) at->second = random_.next();
    return at->second;
  }
  void reset() override { priority_.clear(); }
  std::unordered_map<std::uint64_t, std::uint64_t> priority_;  // never walked
};

template <class By>
class sampling final : public explorer {
 public:
  template <class... A>
  explicit sampling(std::uint64_t seed, A... a) : seed_(seed), by_(a...) {}
  chooser* begin(std::size_t schedule) override {
    by_.begin(seed_of(seed_, schedule));
    return &by_;
  }
  void ended([[maybe_unused]] const schedule_result& r) override {
    if constexpr (std::is_same_v<By, by_pct>) by_.has_ended_after(r.steps);
  }

 private:
  const std::uint64_t seed_;
  By by_;
};

}  // namespace

std::unique_ptr<explorer> make_explorer(const sim::options& o) {
  switch (o.how) {
    case sim::strategy::random: return std::make_unique<sampling<by_random>>(o.seed);
    case sim::strategy::pct: return std::make_unique<sampling<by_pct>>(o.seed, o.depth);
    case sim::strategy::pos: return std::make_unique<sampling<by_pos>>(o.seed);
    case sim::strategy::bounded: return make_bounded(o.depth, o.schedules);
  }
  return nullptr;
}

deviating::deviating(std::vector<deviation> d) : wanted_(std::move(d)) {
  std::sort(wanted_.begin(), wanted_.end(), is_before);
}

// A value and the next fiber may be drawn at the same step.
bool deviating::is_before(const deviation& a, const deviation& b) noexcept {
  return std::tie(a.fiber, a.number, a.is_value) < std::tie(b.fiber, b.number, b.is_value);
}

const deviation* deviating::find(const sim_decision& at, bool is_value) const noexcept {
  const deviation sought{at.fiber, at.number, is_value, 0};
  const auto found = std::lower_bound(wanted_.begin(), wanted_.end(), sought, is_before);
  return found == wanted_.end() || is_before(sought, *found) ? nullptr : &*found;
}

std::size_t deviating::next_fiber(const sim_decision& at, std::span<const sim_candidate> among) {
  const deviation* d = find(at, false);
  if (!d) return 0;
  for (std::size_t i = 1; i < among.size(); ++i)
    if (among[i].fiber == d->what) {
      ++made_;
      return i;
    }
  return 0;
}

std::uint64_t deviating::value(const sim_decision& at, std::uint64_t n) {
  const deviation* d = find(at, true);
  if (!d || d->what >= n) return 0;
  ++made_;
  return d->what;
}

bool deviating::coin(const sim_decision& at, std::uint64_t) {
  const deviation* d = find(at, true);
  if (d) ++made_;
  return d && d->what != 0;
}

}  // namespace weft::detail
