// From options to a report: schedules until one fails, then the failing one cut short.
#include <fmt/format.h>
#include <weft/errors.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <unordered_set>

#include "sched/sim/bounded.h"
#include "sched/sim/describe.h"
#include "sched/sim/replay_text.h"
#include "sched/sim/shrink.h"
#include "sched/sim/story.h"
#include "sched/sim/strategies.h"

namespace weft::sim {
namespace {

using namespace weft::detail;

// One schedule in 64 is run twice, to find what the program asks outside the simulation.
constexpr std::size_t check_every = 64;

// To make a failure short.
constexpr std::size_t most_runs = 2'000, most_steps = 5'000'000;
constexpr std::size_t few = 2;  // deviations

std::uint64_t default_seed() {
  const char* text = std::getenv("WEFT_SIM_SEED");
  if (!text || !*text) return 1;
  const char* const last = text + std::strlen(text);
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text, last, seed);
  if (error != std::errc() || end != last || seed == 0)
    throw panic(fmt::format("WEFT_SIM_SEED={}: expected a number of 1 or more, below 2^64", text));
  return seed;
}

options checked(options o) {
  if (o.seed == 0) o.seed = default_seed();
  if (o.depth < 0) throw panic(fmt::format("sim::options.depth {} is negative", o.depth));
  if (o.schedules == 0) throw panic("sim::options.schedules is 0: at least 1");
  if (o.max_steps == 0) throw panic("sim::options.max_steps is 0: at least 1");
  if (o.wall_limit.count() < 0) throw panic("sim::options.wall_limit is negative");
  return o;
}

// One exploration: a session, a program, and what has been found.
class search {
 public:
  search(const options& o, const std::function<void()>& program)
      : options_(checked(o)), session_(options_), program_(program) {
    report_.seed = options_.seed;
  }

  report explore(std::size_t most) {
    const auto drawn = make_explorer(options_);
    const std::int64_t until = options_.wall_limit.count() > 0 ? monotonic_ns() + options_.wall_limit.count() : never;
    std::unordered_set<std::uint64_t> seen;
    for (std::size_t i = 0; i < most; ++i) {
      if (i > 0 && until != never && monotonic_ns() >= until) break;
      chooser* by = drawn->begin(i);
      if (!by) break;
      schedule_result r = session_->run_schedule(*by, program_);
      drawn->ended(r);
      count(r);
      seen.insert(std::uint64_t{check_of(r.trace)} << 32 | (r.steps & UINT32_MAX));
      report_.distinct = seen.size();
      if (r.what == verdict::passed && i % check_every == 0 && !repeats(r)) break;
      if (r.what != verdict::passed) {
        found(std::move(r));
        break;
      }
    }
    return report_;
  }

  report replay(const replay_plan& plan) {
    schedule_result r = with(plan.deviations);
    if (check_of(r.trace) != plan.check) r = with(plan.deviations);  // the first run initialises statics
    count(r);
    report_.distinct = 1;
    report_.switches = plan.deviations.size();
    const bool another = check_of(r.trace) != plan.check;
    if (r.what != verdict::passed) tell(r, plan.deviations);
    if (another) {
      const std::string what = r.what == verdict::passed ? "it passes" : report_.message;
      report_.message =
          fmt::format("the steps are not those of the string, which is of another version of the program{}: {}",
                      r.missed ? fmt::format(" ({} choices could not be made)", r.missed) : "", what);
    }
    return report_;
  }

 private:
  // The thread is outside the simulation here: the real clock.
  static std::int64_t monotonic_ns() noexcept { return now_ns(); }

  void count(const schedule_result& r) {
    ++report_.schedules;
    report_.steps += r.steps;
    report_.virtual_time = duration(r.ended_at - simulation::epoch_ns);
  }

  schedule_result with(const std::vector<deviation>& d, std::vector<sim_event>* events = nullptr) {
    deviating by(d);
    schedule_result r = session_->run_schedule(by, program_, events);
    r.missed = by.missed();
    return r;
  }

  // True if the same choices give the same steps. What a program does once in a process, such as to
  // initialise a static, may be missing in the repetition: then that is compared with two more. So
  // it is if the repetition alone panics, as it does where a static keeps a channel of the first
  // run. The result is the repetition.
  bool repeats(schedule_result& r) {
    const std::vector<deviation> choices = r.deviations;
    schedule_result second = with(choices);
    bool same = equal(r, second);
    const bool panics = r.what == verdict::passed && second.what == verdict::panic;
    if (!same && (panics || (second.what == r.what && second.signature == r.signature))) {
      const std::vector<deviation> left = second.deviations;
      same = equal(second, with(left)) && equal(second, with(left));
    }
    if (!same) differs(r, second);
    r = std::move(second);
    return same;
  }

  static bool equal(const schedule_result& a, const schedule_result& b) {
    return a.trace == b.trace && a.what == b.what && a.signature == b.signature;
  }

  static std::string describe(const schedule_result& r, std::size_t step) {
    if (step >= r.trace.size()) return "the end";
    return fmt::format("fiber {} at \"{}\"", r.trace[step].fiber, weft::detail::to_string(r.trace[step].op));
  }

  void differs(const schedule_result& a, const schedule_result& b) {
    std::size_t step = 0;
    while (step < a.trace.size() && step < b.trace.size() && a.trace[step] == b.trace[step]) ++step;
    const std::string one = describe(a, step), other = describe(b, step);
    report_.what = verdict::nondeterministic;
    report_.message = fmt::format(
        "nondeterministic: step {} differs in two runs with the same choices ({}): the program asks something outside "
        "the simulation",
        step + 1, one == other ? one : one + ", " + other);
    const std::string& failure = a.what != verdict::passed ? a.message : b.message;
    if (!failure.empty()) report_.message += fmt::format(" (one of them: {})", failure);
  }

  void found(schedule_result r) {
    if (!repeats(r)) return;
    const auto same = [&](const schedule_result& other) {
      return other.what == r.what && other.signature == r.signature;
    };
    const std::size_t runs = std::min(most_runs, most_steps / (r.steps + 1));
    const auto still_fails = [&](const std::vector<deviation>& d) { return same(with(d)); };
    std::vector<deviation> least = shrink(r.deviations, runs, still_fails);
    // Another schedule with the same failure may have fewer deviations than any part of this one.
    if (least.size() > 1) try_bounded(least, runs, same);
    if (least.size() > few) try_others(least, runs, same, still_fails);
    const schedule_result last = with(least);
    const schedule_result twice = with(least);
    if (!equal(last, twice) || !same(last)) {
      differs(last, twice);
      return;
    }
    tell(last, last.deviations);
  }

  template <class Same>
  void try_bounded(std::vector<deviation>& least, std::size_t runs, const Same& same) {
    const auto all = make_bounded(static_cast<int>(least.size()) - 1, runs);
    for (std::size_t i = 0; i < runs; ++i) {
      chooser* by = all->begin(i);
      if (!by) return;
      schedule_result r = session_->run_schedule(*by, program_);
      if (!same(r)) continue;
      least = std::move(r.deviations);
      return;
    }
  }
  template <class Same, class Fails>
  void try_others(std::vector<deviation>& least, std::size_t runs, const Same& same, const Fails& still_fails) {
    options o = options_;
    o.how = strategy::random;
    const auto drawn = make_explorer(o);
    for (std::size_t i = 0; i < runs && least.size() > few; ++i) {
      const schedule_result r = session_->run_schedule(*drawn->begin(options_.schedules + i), program_);
      if (!same(r)) continue;
      std::vector<deviation> other = shrink(r.deviations, 0, still_fails);
      if (other.size() < least.size()) least = std::move(other);
    }
  }

  void tell(const schedule_result& r, const std::vector<deviation>& d) {
    report_.what = r.what;
    report_.message = r.message;
    report_.switches = d.size();
    report_.virtual_time = duration(r.ended_at - simulation::epoch_ns);
    report_.replay = to_text({.seed = options_.seed,
                              .early_timers = options_.early_timers,
                              .leaks = options_.leaks,
                              .max_steps = options_.max_steps,
                              .check = check_of(r.trace),
                              .deviations = d});
    std::vector<sim_event> events;
    with(d, &events);
    report_.story = story_of(events, report_);
    report_.html = html_of(events, report_);
  }

  const options options_;
  simulation_session session_;
  const std::function<void()>& program_;
  report report_;
};

}  // namespace

namespace detail {

report run_one(const options& o, std::function<void()> program) { return search(o, program).explore(1); }

report explore(const options& o, std::function<void()> program) { return search(o, program).explore(o.schedules); }

report replay(std::string_view text, std::function<void()> program) {
  const replay_plan plan = parse_replay(text);
  const options o{
      .seed = plan.seed, .max_steps = plan.max_steps, .leaks = plan.leaks, .early_timers = plan.early_timers};
  return search(o, program).replay(plan);
}

}  // namespace detail
}  // namespace weft::sim
