// What a program calls inside a simulation, and the way in.
#include <weft/errors.h>
#include <weft/sim.h>

#include <cstdlib>
#include <exception>
#include <functional>
#include <ostream>

#include "sched/current.h"
#include "sched/one_world.h"
#include "sched/sim/simulation.h"

namespace weft::detail {

namespace {

std::terminate_handler outside = nullptr;  // a simulation: the program's own

void on_terminate() {
  if (simulation* s = this_simulation()) s->terminated();
  if (outside) outside();
  std::abort();
}

}  // namespace

simulation_session::simulation_session(const sim::options& o) {
  if (this_simulation()) throw panic("sim: called from inside a simulation");
  if (this_m()) throw panic("sim: called from inside a fiber");
  alone_ = std::unique_lock(one_world(), std::try_to_lock);
  if (!alone_) throw panic("sim: a world or another simulation is running in this process");
  sim_ = std::make_unique<simulation>(o);
  before_ = outside = std::set_terminate(on_terminate);
  begin_simulated_paths();
}

simulation_session::~simulation_session() {
  end_simulated_paths();
  std::set_terminate(before_);
}

}  // namespace weft::detail

namespace weft::sim {

using weft::detail::sim_op;
using weft::detail::simulation;
using weft::detail::this_simulation;

const char* to_string(verdict v) noexcept {
  switch (v) {
    case verdict::passed: return "passed";
    case verdict::deadlock: return "deadlock";
    case verdict::leak: return "leak";
    case verdict::panic: return "panic";
    case verdict::failed: return "failed";
    case verdict::livelock: return "livelock";
    case verdict::nondeterministic: return "nondeterministic";
  }
  return "?";
}

std::ostream& operator<<(std::ostream& out, const report& r) {
  out << to_string(r.what) << " after " << r.schedules << " schedules, seed " << r.seed;
  if (r.what != verdict::passed) out << "\n" << (r.story.empty() ? r.message : r.story);
  return out;
}

bool active() noexcept { return this_simulation() != nullptr; }

void wait() {
  simulation* s = this_simulation();
  if (!s) throw panic("sim::wait: called outside a simulation");
  s->wait_for_others();
}

void point() {
  if (simulation* s = this_simulation()) s->own_point();
}

bool maybe(std::string_view name) {
  simulation* s = this_simulation();
  return s && s->coin(name);
}

std::uint64_t choose(std::uint64_t n) {
  if (n == 0) throw panic("sim::choose: of 0");
  simulation* s = this_simulation();
  return s ? s->choice(n) : 0;
}

void require(bool holds, std::string_view what) {
  if (holds) return;
  simulation* s = this_simulation();
  if (!s) throw panic("sim::require: " + std::string(what));
  s->fail(verdict::failed, "failed: " + std::string(what), std::hash<std::string_view>()(what));
}

}  // namespace weft::sim
