// A failing schedule as a short string: "w1-7-0-3fa2c81d-1.4>3,2.2=1".
//
//   w1         the format
//   7          the seed, for what is random and no choice
//   0          a sum: 1 with options::early_timers, 2 without options::leaks, 4 with a number more,
//              options::max_steps
//   3fa2c81d   a hash of the steps: another one at replay means another program
//   1.4>3      fiber 1 at its decision 4: fiber 3 runs
//   2.2=1      fiber 2 at its decision 2: the value is 1
#pragma once
#include <string>
#include <string_view>

#include "sched/sim/simulation.h"

namespace weft::detail {

struct replay_plan {
  std::uint64_t seed = 1;
  bool early_timers = false, leaks = true;
  std::size_t max_steps = sim::options().max_steps;
  std::uint32_t check = 0;
  std::vector<deviation> deviations;
};

std::string to_text(const replay_plan& p);
// Throws weft::panic that says where `text` is wrong.
replay_plan parse_replay(std::string_view text);
// Of all steps of a schedule.
std::uint32_t check_of(const std::vector<sim_step>& trace) noexcept;

}  // namespace weft::detail
