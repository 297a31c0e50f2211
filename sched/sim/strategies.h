// Ways to draw a schedule.
#pragma once
#include <weft/sim.h>

#include <memory>

#include "sched/sim/chooser.h"
#include "sched/sim/simulation.h"

namespace weft::detail {

// Draws schedule after schedule.
class explorer {
 public:
  virtual ~explorer() = default;
  // Who decides in the next schedule; null: all have been run.
  virtual chooser* begin(std::size_t schedule) = 0;
  virtual void ended(const schedule_result&) {}
};

std::unique_ptr<explorer> make_explorer(const sim::options& o);

// Every default but for some deviations, each of which is made where its decision comes up and it
// is possible.
class deviating final : public chooser {
 public:
  explicit deviating(std::vector<deviation> d);
  std::size_t next_fiber(const sim_decision& at, std::span<const sim_candidate> among) override;
  std::uint64_t value(const sim_decision& at, std::uint64_t n) override;
  bool coin(const sim_decision& at, std::uint64_t name_hash) override;
  // Deviations that have not been made.
  std::size_t missed() const noexcept { return wanted_.size() - made_; }

 private:
  static bool is_before(const deviation& a, const deviation& b) noexcept;
  const deviation* find(const sim_decision& at, bool is_value) const noexcept;
  std::vector<deviation> wanted_;  // by fiber and number
  std::size_t made_ = 0;
};

}  // namespace weft::detail
