#include <time.h>
#include <weft/timeline.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>

#include "runtime/sanitizer.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using timeline::stretch;

namespace {

std::vector<stretch> of(const std::vector<stretch>& all, const std::string& name) {
  std::vector<stretch> mine;
  std::copy_if(all.begin(), all.end(), std::back_inserter(mine), [&](const stretch& s) { return s.name == name; });
  return mine;
}

// The CPU time of the calling thread.
duration cpu_used() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

void go_in(wait_group& all, const char* name, std::function<void()> f) {
  all.add(1);
  go({.name = name}, [&all, f = std::move(f)] {
    f();
    all.done();
  });
}

void compute(duration cpu) {
  for (const duration until = cpu_used() + cpu; cpu_used() < until;) {
  }
}

duration total_cpu(const std::vector<stretch>& all) {
  duration sum{};
  for (const stretch& s : all) sum += s.cpu;
  return sum;
}

// What holds for any recording: in order, and nothing is in two places at the same time.
void check_consistent(const std::vector<stretch>& all) {
  std::map<int, time_point> p_free, m_free;
  std::map<std::uint64_t, time_point> fiber_free;
  time_point before{};
  int out_of_order = 0, on_two_ms = 0, twice = 0, on_one_p = 0, cpu_wrong = 0;
  for (const stretch& s : all) {
    out_of_order += s.from < before || s.to < s.from || s.fiber == 0;
    on_two_ms += s.from < m_free[s.m];
    twice += s.from < fiber_free[s.fiber];
    on_one_p += s.has_p() && s.from < p_free[s.p];
    cpu_wrong += s.cpu < duration(0) || s.cpu > s.to - s.from;
    before = s.from;
    m_free[s.m] = fiber_free[s.fiber] = s.to;
    if (s.has_p()) p_free[s.p] = s.to;
  }
  CHECK(out_of_order == 0);
  CHECK(on_two_ms == 0);  // an M runs one fiber at a time,
  CHECK(twice == 0);      // a fiber is on one M,
  CHECK(on_one_p == 0);   // and a P has one holder
  CHECK(cpu_wrong == 0);
}

bool runs_at(const std::vector<stretch>& all, const std::string& name, time_point t) {
  return std::any_of(all.begin(), all.end(),
                     [&](const stretch& s) { return s.name == name && s.from <= t && t < s.to; });
}

}  // namespace

TEST_CASE("a fiber that ends and the next one on its stack are two stretches", "[timeline][order]") {
  in_world(1, [] {
    wait_group both;
    both.add(2);
    timeline::start();
    go({.name = "first"}, [&] { both.done(); });
    go({.name = "second"}, [&] { both.done(); });
    both.wait();
    const auto all = timeline::stop();
    check_consistent(all);
    const auto first = of(all, "first"), second = of(all, "second");
    REQUIRE(first.size() == 1);
    REQUIRE(second.size() == 1);
    CHECK(first[0].fiber != second[0].fiber);
    CHECK(second[0].to <= first[0].from);  // the one started last runs first
    CHECK(first[0].p == 0);
  });
}

TEST_CASE("every switch of a pair that wakes each other is noted", "[timeline]") {
  constexpr int rounds = scaled(1000);
  in_world(1, [] {
    auto there = make_chan<int>(), back = make_chan<int>();
    wait_group both;
    both.add(2);
    timeline::start();
    go({.name = "ping"}, [&] {
      for (int i = 0; i < rounds; ++i) {
        there.send(i);
        back.recv();
      }
      both.done();
    });
    go({.name = "pong"}, [&] {
      for (int i = 0; i < rounds; ++i) {
        there.recv();
        back.send(i);
      }
      both.done();
    });
    both.wait();
    const auto all = timeline::stop();
    check_consistent(all);
    CHECK(of(all, "ping").size() >= static_cast<std::size_t>(rounds));
    CHECK(of(all, "pong").size() >= static_cast<std::size_t>(rounds));
    int same_again = 0;
    for (std::size_t i = 1; i < all.size(); ++i) same_again += all[i].fiber == all[i - 1].fiber ? 1 : 0;
    CHECK(same_again <= rounds / 10);  // the main fiber, a yield with no one else there
  });
}

TEST_CASE("fibers that yield take turns under a recording too", "[timeline][order][GO-46]") {
  in_world(1, [] {
    constexpr int turns = 200;
    std::vector<int> order;  // one P: no two fibers run at the same time
    wait_group both;
    both.add(2);
    timeline::start();
    for (int who = 0; who < 2; ++who) {
      go([&, who] {
        for (int i = 0; i < turns; ++i) {
          order.push_back(who);
          yield();
        }
        both.done();
      });
    }
    both.wait();
    timeline::stop();
    int repeats = 0;
    for (std::size_t i = 1; i < order.size(); ++i) repeats += order[i] == order[i - 1] ? 1 : 0;
    CHECK(repeats <= turns / 10);
  });
}

TEST_CASE("no P and no fiber is in two stretches at once", "[timeline]") {
  hang_guard guard("recorded fibers do not end");
  in_world(GENERATE(1, 2, 4, 16), [] {
    timeline::start();
    wait_group all_done;
    auto c = make_chan<int>(4);
    for (int i = 0; i < 20; ++i) {
      all_done.go([&, i] {
        for (int k = 0; k < scaled(500); ++k) {
          if (i % 2 == 0) c.send(k);
          else c.recv();
          if (k % 7 == 0) yield();
        }
      });
    }
    all_done.wait();
    const auto all = timeline::stop();
    check_consistent(all);
    CHECK(all.size() > 40);
  });
}

TEST_CASE("a fiber in a blocking call is in no stretch", "[timeline]") {
  in_world(GENERATE(1, 2, 4), [] {
    wait_group both;
    both.add(2);
    time_point inside{}, after{};
    timeline::start();
    go({.name = "caller"}, [&] {
      blocking([&] {
        weft::sleep(2ms);  // on a plain thread: blocks it
        inside = now();
        weft::sleep(2ms);
      });
      for (after = now(); now() == after;) {
      }
      both.done();
    });
    go({.name = "other"}, [&] { both.done(); });
    both.wait();
    const auto all = timeline::stop();
    check_consistent(all);
    CHECK_FALSE(runs_at(all, "caller", inside));
    CHECK(runs_at(all, "caller", after));
  });
}

TEST_CASE("fibers on Ps made during a recording are noted", "[timeline][order]") {
  hang_guard guard("two fibers never run at once, or always lose their Ps");
  std::vector<stretch> all;
  // A thread that the machine starves for a time slice loses its P: such a recording shows nothing.
  while (of(all, "left").size() != 1 || of(all, "right").size() != 1)
    in_world(1, [&] {
      timeline::start();
      maxprocs(2);
      std::atomic<int> here = 0;
      wait_group both;
      both.add(2);
      for (const char* name : {"left", "right"})
        go({.name = name}, [&] {
          ++here;
          while (here < 2) {  // needs both at the same time: no one yields
          }
          both.done();
        });
      both.wait();
      all = timeline::stop();
      check_consistent(all);
    });
  const stretch left = of(all, "left")[0], right = of(all, "right")[0];
  CHECK(left.p != right.p);
  CHECK(left.m != right.m);
  CHECK(std::max(left.from, right.from) < std::min(left.to, right.to));
}

TEST_CASE("a recording has what ran since its start and ends with its caller", "[timeline]") {
  in_world(GENERATE(1, 4), [] {
    wait_group one;
    one.add(2);
    go({.name = "before"}, [&] { one.done(); });
    yield();
    timeline::start();
    go({.name = "first recording"}, [&] { one.done(); });
    one.wait();
    const auto first = timeline::stop();
    CHECK_FALSE(of(first, "first recording").empty());  // several, if it lost its P
    CHECK(first.back().to <= now());
    CHECK(std::any_of(first.begin(), first.end(), [](const stretch& s) { return s.fiber == this_fiber::id(); }));

    timeline::start();
    const auto second = timeline::stop();
    CHECK(of(second, "first recording").empty());
    check_consistent(second);
  });
}

TEST_CASE("a recording that is off leaves the short ways open", "[timeline][order]") {
  if (detail::under_tsan) return;  // no fiber is run on another's stack there
  in_world(1, [] {
    const auto adopted_by = [](auto f) {
      const std::uint64_t before = stats().adopted;
      f();
      return stats().adopted - before;
    };
    const auto crowd = [] {
      wait_group all;
      for (int i = 0; i < 100; ++i) all.go([] {});
      all.wait();
    };
    timeline::start();
    CHECK(adopted_by(crowd) == 0);
    timeline::stop();
    CHECK(adopted_by(crowd) >= 90);
  });
}

TEST_CASE("recordings begin and end while others switch", "[timeline]") {
  hang_guard guard("recordings and yielding fibers do not get on");
  in_world(GENERATE(2, 4, 16), [] {
    std::atomic<bool> stop = false;
    wait_group all_done;
    for (int i = 0; i < 8; ++i)
      all_done.go([&] {
        while (!stop) yield();
      });
    for (int i = 0; i < scaled(100); ++i) {
      timeline::start();
      for (int k = 0; k < 5; ++k) yield();
      check_consistent(timeline::stop());
    }
    stop = true;
    all_done.wait();
  });
}

TEST_CASE("a world may end with its recording on", "[timeline]") {
  for (int i = 0; i < 2; ++i) in_world(GENERATE(1, 2), [] { timeline::start(); });
}

TEST_CASE("a fiber that computes without its P has a stretch that says so", "[timeline][retake]") {
  hang_guard guard("a fiber is never seen without its P");
  in_world(GENERATE(1, 2), [] {
    static constexpr auto long_enough = detail::under_tsan ? 500ms : 100ms;  // time slices are longer there
    wait_group all;
    timeline::start();
    for (int i = 0; i < 2 * maxprocs(); ++i) go_in(all, "hog", [] { compute(long_enough); });
    all.wait();
    const auto recorded = timeline::stop();
    check_consistent(recorded);
    const auto hogs = of(recorded, "hog");
    CHECK(std::any_of(hogs.begin(), hogs.end(), [](const stretch& s) { return !s.has_p(); }));
    const duration computed = 2 * maxprocs() * long_enough;
    CHECK(total_cpu(hogs) > computed * 9 / 10);  // nothing of what they computed is missing
  });
}

TEST_CASE("a stretch without a P may be open when a recording begins and ends", "[timeline][retake]") {
  hang_guard guard("a fiber is never seen without its P");
  in_world(1, [] {
    std::atomic<bool> over = false, others = false;
    wait_group hog;
    go_in(hog, "hog", [&] {
      while (!others) {
      }
      while (!over) {
      }
    });
    go([&] { others = true; });
    while (!others) yield();  // runs on the P that the hog has lost
    timeline::start();
    compute(50ms);
    const auto recorded = timeline::stop();
    over = true;
    hog.wait();
    check_consistent(recorded);
    const auto hogs = of(recorded, "hog");
    REQUIRE(!hogs.empty());
    CHECK(std::any_of(hogs.begin(), hogs.end(), [](const stretch& s) { return !s.has_p(); }));
  });
}

TEST_CASE("a fiber that sleeps in the kernel computes nothing in a recording", "[timeline][retake]") {
  hang_guard guard("a fiber in a system call keeps its P");
  in_world(1, [] {
    wait_group both;
    std::atomic<bool> ran = false;
    time_point asleep{};
    timeline::start();
    go_in(both, "sleeper", [&] {
      both.go([&] { ran = true; });
      while (!ran) {  // a system call that blocks, and is not announced
        const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
        asleep = now() + 10ms;
        nanosleep(&pause, nullptr);
      }
      compute(20ms);
    });
    both.wait();
    const auto recorded = timeline::stop();
    check_consistent(recorded);
    const auto slept = of(recorded, "sleeper");
    CHECK(total_cpu(slept) > 18ms);
    CHECK(std::none_of(slept.begin(), slept.end(),
                       [&](const stretch& s) { return !s.has_p() && s.from <= asleep && asleep < s.to; }));
  });
}

TEST_CASE("recordings out of order are panics", "[timeline]") {
  CHECK_THROWS_AS(timeline::start(), panic);
  CHECK_THROWS_AS(timeline::stop(), panic);
  in_world(1, [] {
    CHECK_THROWS_AS(timeline::stop(), panic);
    timeline::start();
    CHECK_THROWS_AS(timeline::start(), panic);
    timeline::stop();
    CHECK_THROWS_AS(timeline::stop(), panic);
  });
}
