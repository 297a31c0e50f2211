// Simulation: a program of fibers runs under one seed, in many schedules, on the calling thread
// alone.
//
//   weft::sim::report r = weft::sim::explore({.seed = 7}, [] {
//     auto ch = weft::make_chan<int>();
//     weft::go([ch] { ch.send(1); });
//     weft::sim::require(ch.recv() == 1, "the value arrives");
//   });
//
// Everything that is open in weft (which fiber runs next, which case a select takes, who gets a
// mutex) is a choice, drawn from one stream that the seed decides. A failing schedule is shrunk to
// the few choices that matter, and report::replay repeats it. The clock is virtual: it begins at a
// fixed instant, and jumps to the next timer when no fiber can run. A fiber's own code between two
// operations of weft takes no time.
//
// The program begins from nothing in each schedule, so what it uses is made inside it. A channel or
// a timer that was made in a schedule throws weft::panic when it is used in another one or outside.
// A fiber that lives on after the main fiber has returned must own what it uses. Not simulated:
// std::thread, std::mutex, the clocks of std::chrono and system calls; a program that depends on
// one of these gives verdict::nondeterministic, or waits in real time. Sockets, pipes and files of
// weft throw weft::panic.
#pragma once
#include <weft/clock.h>
#include <weft/detail/spawn.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

namespace weft::sim {

// How explore() draws schedules. A forced switch is a place where another fiber runs than the
// default: the running one until it waits, then that can run for longest.
enum class strategy {
  random,  // each choice at random, with more or fewer switches from schedule to schedule
  pct,  // fibers have random priorities, which change at `depth` - 1 random steps
  pos,  // pending operations have random priorities; an operation redraws those of its rivals on the same object
  bounded,  // all schedules with no forced choice, then with one, ..., with `depth`
};

struct options {
  std::uint64_t seed = 0;  // 0: WEFT_SIM_SEED, else 1
  strategy how = strategy::random;
  int depth = 3;  // pct, bounded
  std::size_t schedules = 1'000;  // explore: the limit
  duration wall_limit{};  // explore: no new schedule after so long, in real time; 0: no limit
  std::size_t max_steps = 1'000'000;  // a schedule with more steps than this is a livelock
  bool leaks = true;  // a fiber that nothing can wake after the main fiber has returned is a failure
  bool early_timers = false;  // a timer may also fire while fibers can run, as on a slow machine
};

enum class verdict { passed, deadlock, leak, panic, failed, livelock, nondeterministic };

// "passed", "deadlock", ...
const char* to_string(verdict v) noexcept;

struct report {
  verdict what = verdict::passed;
  std::string message;  // one line: what failed, and where; empty if passed
  std::uint64_t seed = 0;
  std::string replay;  // for replay(); empty if passed
  std::size_t schedules = 0;  // run until the first failure, those for shrinking not counted
  std::size_t distinct = 0;  // of those, as far as they differ
  std::size_t steps = 0;  // of all these schedules
  std::size_t switches = 0;  // forced choices that remain in `replay`
  duration virtual_time{};  // of the last schedule
  std::string story;  // the steps that matter, as a table for a terminal of 80 columns
  std::string html;  // the same as a page, with a lane for each fiber

  explicit operator bool() const noexcept { return what == verdict::passed; }
};

// Writes the verdict and, at a failure, the message and the story. Catch2's REQUIRE(explore(...))
// shows it; with GoogleTest write `EXPECT_TRUE(r) << r`.
std::ostream& operator<<(std::ostream& out, const report& r);

namespace detail {
report run_one(const options& o, std::function<void()> program);
report explore(const options& o, std::function<void()> program);
report replay(std::string_view text, std::function<void()> program);
}  // namespace detail

// Runs one schedule of `program`, a callable without arguments, as the main fiber. Calls it once
// more if it passes, to find what it asks outside of the simulation, and more often if it fails, to
// shrink the failure. Blocks the calling thread. Throws weft::panic from inside a fiber or another
// simulation, while a world or a simulation runs, and for options out of range.
template <class F>
report run(const options& o, F&& program) {
  return detail::run_one(o, [&program] { program(); });
}
// As above with the default options. Go's synctest.Test.
template <class F>
report run(F&& program) {
  return run(options{}, std::forward<F>(program));
}

// Runs up to options::schedules schedules of `program`, each from its beginning, until one fails.
// The failing one is shrunk and replayed twice. Throws as run().
template <class F>
report explore(const options& o, F&& program) {
  return detail::explore(o, [&program] { program(); });
}
template <class F>
report explore(F&& program) {
  return explore(options{}, std::forward<F>(program));
}

// Runs the one schedule that `text`, a report::replay, describes. Throws weft::panic if `text` is
// no such string, and as run(). If the program is not the program of the string, the message says
// so.
template <class F>
report replay(std::string_view text, F&& program) {
  return detail::replay(text, [&program] { program(); });
}

// Blocks until every other fiber of the simulation waits, as far as it can without the clock
// moving. Throws weft::panic outside a simulation, and while another fiber is in wait(). Go's
// synctest.Wait.
void wait();

// A place where another fiber may run: for code that shares memory without a primitive of weft.
// Outside a simulation does nothing.
void point();

// A choice of the program's own: true in some schedules, for faults and rare paths. Each name is
// enabled in a quarter of all schedules, and true at a quarter of its calls there; with
// strategy::bounded it is true only as one of the forced choices. Outside a simulation false.
bool maybe(std::string_view name);

// A choice between 0 and n - 1. Outside a simulation 0. Throws weft::panic if n is 0.
std::uint64_t choose(std::uint64_t n);

// Ends the schedule with verdict::failed and the text `what` unless `holds`. Outside a simulation
// throws weft::panic.
void require(bool holds, std::string_view what = "requirement");

// True in a fiber of a simulation.
bool active() noexcept;

}  // namespace weft::sim
