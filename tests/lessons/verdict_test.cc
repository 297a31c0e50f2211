// What the reports conclude from the figures of a run.
#include "lessons/support/verdict.h"
#include "tests/support/catch.h"

using namespace lesson;
using namespace std::chrono_literals;

namespace {

struct run {
  int maxprocs, cpus;
  double share;    // of the time in which two fibers held a P
  double at_work;  // CPUs
  double could_use;
};

// Two fibers in 100 ms.
figures of(const run& r) {
  figures f;
  f.maxprocs = r.maxprocs;
  f.cpus = r.cpus;
  f.wall = 100ms;
  f.cpu = std::chrono::microseconds(static_cast<int>(r.at_work * 100'000));
  f.could_use = std::chrono::microseconds(static_cast<int>(r.could_use * 100'000));
  f.streams.resize(2);
  f.streams[0].name = "a";
  f.streams[0].fibers = {2};
  f.streams[1].name = "b";
  f.streams[1].fibers = {3};
  f.at_once = r.share > 0 ? 2 : 1;
  f.at_once_share = r.share;
  f.switches = 1;
  return f;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("more than 1.05 CPUs at work at one P are parallel, whatever the recording shows", "[lessons]") {
  for (const double share : {0.0, 0.4}) {
    const std::string v = verdict(of({1, 2, share, 1.23, 1.0}));
    CAPTURE(v);
    CHECK(has(v, "One P, but 1.23 CPUs were at work. This run was parallel"));
    CHECK_FALSE(has(v, "not parallel"));
  }
}

TEST_CASE("one P with one CPU at work is concurrent, not parallel", "[lessons]") {
  CHECK(verdict(of({1, 2, 0, 0.98, 1.0})) ==
        "One P: a ran from start to end, then b. 0 % of the time two ran at the same instant, and 0.98 CPUs were at "
        "work: "
        "concurrent, not parallel.");
}

TEST_CASE("fibers that shared one CPU are not reported as one after the other", "[lessons]") {
  figures f = of({1, 2, 0, 0.98, 1.0});
  f.shared = 80ms;
  CHECK(verdict(f) == "One P: both fibers shared one CPU, and 0.98 CPUs were at work: concurrent, not parallel.");
  f.shared = 0ms;
  f.without_p = 30ms;
  f.cpus = 1;
  CHECK(verdict(f).starts_with("One P: both fibers shared one CPU"));
  f.cpu = 40ms;
  CHECK(verdict(f) ==
        "The machine was too busy to tell: the fibers got 40 % of the CPU time that they could use. One P: both fibers "
        "shared one CPU.");
}

TEST_CASE("two Ps on one CPU are concurrent, not parallel", "[lessons]") {
  const std::string both =
      "concurrent, not parallel. Both fibers held a P for 80 % of the time, but 0.99 CPUs were at work.";
  CHECK(verdict(of({2, 1, 0.8, 0.99, 1.0})) == "Two Ps on one CPU: " + both);
  figures quota = of({2, 4, 0.8, 0.99, 1.0});
  quota.quota = 1;
  CHECK(verdict(quota) == "Two Ps with a quota of 1.00 CPUs: " + both);
}

TEST_CASE("two Ps with more than one CPU at work are parallel", "[lessons]") {
  CHECK(
      verdict(of({2, 2, 0.51, 1.47, 1.51})) ==
      "Two Ps on 2 CPUs: both fibers ran at the same instant for 51 % of the time, and 1.47 CPUs were at work. That is "
      "parallelism.");
}

TEST_CASE("a machine too busy to tell is reported first", "[lessons]") {
  const std::string v = verdict(of({2, 2, 0.9, 0.7, 1.9}));
  CHECK(v.starts_with("The machine was too busy to tell: the fibers got 37 % of the CPU time that they could use."));
  CHECK_FALSE(has(v, "That is parallelism"));
  CHECK(verdict(of({1, 2, 0, 0.5, 1.0})).starts_with("The machine was too busy to tell"));
  CHECK_FALSE(has(verdict(of({1, 2, 0, 0.5, 1.0})), "not parallel"));
}

TEST_CASE("times are shown with three significant digits", "[lessons]") {
  CHECK(shown_time(7ns) == "7 ns");
  CHECK(shown_time(1234ns) == "1.23 us");
  CHECK(shown_time(56'700us) == "56.7 ms");
  CHECK(shown_time(456'700us) == "457 ms");
  CHECK(shown_time(12s) == "12.0 s");
}
