#include <weft/weft.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/sanitizer.h"
#include "tests/support/catch.h"
#include "tests/support/hang_guard.h"

using namespace std::chrono_literals;

namespace {

int fib(int n) {
  if (n < 2) return n;
  int a = 0, b = 0;
  weft::parallel_invoke([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
  return a + b;
}

// A fork below a fork below a fork: `depth` of them open at the innermost.
int nest(int depth) {
  if (depth == 0) return 0;
  int below = 0, one = 0;
  weft::parallel_invoke([&] { below = nest(depth - 1); }, [&] { one = 1; });
  return below + one;
}

template <class F>
void on_ps(F f) {
  for (const int p : {1, 2, 4, 16}) {
    INFO(p << " Ps");
    const weft::testing::hang_guard guard("fork-join at some number of Ps");
    weft::run({.maxprocs = p}, f);
  }
}

}  // namespace

TEST_CASE("parallel_invoke calls every branch once, at any number of Ps", "[parallel]") {
  on_ps([] {
    CHECK(fib(20) == 6765);
    int a = 0, b = 0, c = 0, d = 0;
    weft::parallel_invoke([&] { ++a; }, [&] { ++b; }, [&] { ++c; }, [&] { ++d; });
    CHECK(a + b + c + d == 4);
    weft::parallel_invoke([&] { ++a; });
    CHECK(a == 2);
  });
}

TEST_CASE("a branch that no P takes runs in the caller's fiber, in the order of the arguments", "[parallel]") {
  weft::run({.maxprocs = 1}, [] {
    const auto me = weft::this_fiber::id();
    std::vector<std::pair<int, std::uint64_t>> seen;
    const auto note = [&seen](int i) { return [&seen, i] { seen.emplace_back(i, weft::this_fiber::id()); }; };
    weft::parallel_invoke(note(1), note(2), note(3));
    CHECK(seen == std::vector<std::pair<int, std::uint64_t>>{{1, me}, {2, me}, {3, me}});
  });
}

TEST_CASE("a branch that blocks holds up no other branch", "[parallel]") {
  on_ps([] {
    const auto ch = weft::make_chan<int>();  // each branch waits for the next: in sequence they would deadlock
    const auto second = weft::make_chan<int>();
    int got = 0;
    weft::parallel_invoke([&] { got = *ch.recv(); }, [&] { ch.send(*second.recv()); }, [&] { second.send(7); });
    CHECK(got == 7);
  });
}

TEST_CASE("forks that are open at any depth are shared before a suspension", "[parallel]") {
  on_ps([] {
    const auto from_outer = weft::make_chan<int>(), from_middle = weft::make_chan<int>();
    int sum = 0;
    weft::parallel_invoke(
        [&] {
          weft::parallel_invoke([&] { sum = *from_outer.recv() + *from_middle.recv(); }, [&] { from_middle.send(2); });
        },
        [&] { from_outer.send(1); });
    CHECK(sum == 3);
  });
}

TEST_CASE("another P takes a branch while the first computes", "[parallel]") {
  const weft::testing::hang_guard guard("a branch is taken", 60s);
  weft::run({.maxprocs = 2}, [] {
    std::atomic<bool> second_ran{false};
    weft::parallel_invoke(  // the first branch computes until the second has run beside it
        [&] {
          while (!second_ran.load()) {
          }
        },
        [&] { second_ran = true; });
    CHECK(second_ran);
  });
}

TEST_CASE("the exception of the first branch in the order of the arguments is rethrown, after all have ended",
          "[parallel]") {
  on_ps([] {
    std::atomic<int> ended{0};
    const auto fails = [&](const char* text) {
      return [&ended, text] {
        weft::yield();
        ++ended;
        throw std::runtime_error(text);
      };
    };
    CHECK_THROWS_WITH(weft::parallel_invoke(fails("a"), fails("b"), fails("c")), "a");
    CHECK(ended == 3);
    CHECK_THROWS_WITH(weft::parallel_invoke([&] { ++ended; }, fails("b")), "b");
    CHECK(ended == 5);
    CHECK_THROWS_WITH(weft::parallel_invoke(fails("a"), [&] { ++ended; }), "a");
    CHECK(ended == 7);
  });
}

TEST_CASE("goexit in a branch ends the calling fiber, after the branches that have begun", "[parallel]") {
  on_ps([] {
    std::atomic<int> destroyed{0}, after{0};
    weft::wait_group all;
    for (int which = 0; which < 3; ++which)
      all.go([&, which] {
        struct scope {
          std::atomic<int>& n;
          ~scope() { ++n; }
        } at_end{destroyed};
        const auto branch = [which](int i) {
          return [which, i] {
            weft::yield();
            if (i == which) weft::goexit();
          };
        };
        weft::parallel_invoke(branch(0), branch(1), branch(2));
        ++after;
      });
    all.wait();
    CHECK(destroyed == 3);
    CHECK(after == 0);
  });
}

TEST_CASE("forks nest as deep as the stack goes", "[parallel]") {
  static constexpr int deepest =
      weft::detail::under_tsan ? 10'000 : 100'000;  // TSan's own call stack has 65,536 places
  for (const int p : {1, 2}) {
    weft::run({.maxprocs = p}, [] {
      const auto done = weft::make_chan<int>();
      weft::go({.stack_size = 256 << 20}, [=] { done.send(nest(deepest)); });
      CHECK(done.recv() == deepest);
    });
  }
}

TEST_CASE("a fiber that is locked to its thread runs all branches on it", "[parallel]") {
  on_ps([] {
    weft::lock_os_thread();
    const auto thread = std::this_thread::get_id();
    std::atomic<int> elsewhere{0};
    const auto check = [&] {
      if (std::this_thread::get_id() != thread) ++elsewhere;
      weft::yield();
    };
    for (int i = 0; i < 50; ++i) weft::parallel_invoke(check, check, check);
    weft::parallel_for(0, 50, [&](int) { check(); });
    CHECK(elsewhere == 0);
    weft::unlock_os_thread();
  });
}

TEST_CASE("a plain thread may fork, with a world and without", "[parallel]") {
  CHECK(fib(10) == 55);
  int sum = 0;
  weft::parallel_for(0, 10, [&](int i) { sum += i; });
  CHECK(sum == 45);
  CHECK_THROWS_WITH(weft::parallel_invoke([] {}, [] { throw std::runtime_error("b"); }), "b");
  weft::run({.maxprocs = 2}, [] {
    int value = 0, plus = 0;
    std::thread t([&] {
      value = fib(15);
      plus = weft::parallel_reduce(
          0, 100, 0, [](int i) { return i; }, std::plus<>());
    });
    weft::blocking([&] { t.join(); });
    CHECK(value == 610);
    CHECK(plus == 4950);
  });
}

TEST_CASE("inside blocking() a fork is a plain thread's", "[parallel]") {
  weft::run({.maxprocs = 2}, [] { CHECK(weft::blocking([] { return fib(12); }) == 144); });
}

TEST_CASE("parallel_for visits each index once", "[parallel]") {
  on_ps([] {
    for (const std::ptrdiff_t grain : {0, 1, 3, 1000}) {
      std::vector<std::atomic<int>> seen(1000);
      weft::parallel_for(std::size_t{0}, seen.size(), [&](std::size_t i) { ++seen[i]; }, {.grain = grain});
      CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
    }
    std::vector<int> v(100, 1);
    weft::parallel_for(v.begin(), v.end(), [](auto at) { ++*at; });
    weft::parallel_for(v, [](int& element) { ++element; });
    CHECK(std::accumulate(v.begin(), v.end(), 0) == 300);
    weft::parallel_for(5, 5, [](int) { FAIL("an empty range"); });
    weft::parallel_for(5, 2, [](int) { FAIL("an empty range"); });
  });
}

TEST_CASE("parallel_for reaches both ends of its index type", "[parallel]") {
  weft::run({.maxprocs = 2}, [] {
    std::atomic<int> n{0};
    weft::parallel_for(std::int8_t{-128}, std::int8_t{127}, [&](std::int8_t) { ++n; });
    CHECK(n == 255);
    const auto top = std::numeric_limits<std::uint64_t>::max();
    weft::parallel_for(top - 5, top, [&](std::uint64_t) { ++n; });
    CHECK(n == 260);
    CHECK_THROWS_AS(weft::parallel_for(0, 1, [](int) {}, {.grain = -1}), weft::panic);
  });
}

TEST_CASE("iterations that block wait at the same time", "[parallel]") {
  on_ps([] {
    constexpr int n = 100;
    std::atomic<int> inside{0};
    const auto all_here = weft::make_chan<void>();
    weft::parallel_for(0, n, [&](int) {  // the last to arrive lets all go: in sequence they would deadlock
      if (++inside == n) all_here.close();
      all_here.recv();
    });
    CHECK(inside == n);
  });
}

TEST_CASE("an iteration that throws ends the loop with the exception of the smallest index", "[parallel]") {
  on_ps([] {
    std::atomic<int> ran{0}, smallest{100'000};
    std::string thrown;
    try {
      weft::parallel_for(0, 100'000,
                         [&](int i) {
                           ++ran;
                           if (i < 50) return;
                           for (int least = smallest; i < least && !smallest.compare_exchange_weak(least, i);) {
                           }
                           throw std::runtime_error(std::to_string(i));
                         },
                         {.grain = 1});
    } catch (const std::runtime_error& e) {
      thrown = e.what();
    }
    CHECK(thrown == std::to_string(smallest));  // of the ones that threw, and 50 itself if it was reached
    CHECK(ran < 100'000);
  });
}

TEST_CASE("parallel_reduce joins in the order of the indices, and uses init once", "[parallel]") {
  on_ps([] {
    std::string expected = "<";
    for (int i = 0; i < 300; ++i) expected += std::to_string(i) + ",";
    for (const std::ptrdiff_t grain : {0, 1, 7}) {
      const std::string got = weft::parallel_reduce(0, 300, std::string("<"),
                                                    [](int i) {
                                                      if (i % 10 == 0) weft::yield();
                                                      return std::to_string(i) + ",";
                                                    },
                                                    std::plus<>(), {.grain = grain});
      CHECK(got == expected);
    }
    CHECK(weft::parallel_reduce(
              3, 3, 42, [](int) { return 1; }, std::plus<>()) == 42);
  });
}

TEST_CASE("parallel_reduce takes values that can only be moved", "[parallel]") {
  weft::run({.maxprocs = 2}, [] {
    using boxed = std::unique_ptr<int>;
    const boxed sum = weft::parallel_reduce(
        0, 100, std::make_unique<int>(0), [](int i) { return std::make_unique<int>(i); },
        [](boxed a, boxed b) { return std::make_unique<int>(*a + *b); }, {.grain = 1});
    CHECK(*sum == 4950);
  });
}

TEST_CASE("a suspension inside no_suspend is still reported while forks are open", "[parallel]") {
  weft::run({.maxprocs = 1}, [] {
    int after = 0;
    weft::parallel_invoke(
        [&] {
          {
            const weft::no_suspend region;
            ++after;
          }
          weft::yield();  // the region has ended: this shares the second branch
        },
        [&] { ++after; });
    CHECK(after == 2);
  });
}

TEST_CASE("fork-join beside fibers, sleeps, and a changing number of Ps", "[parallel]") {
  const weft::testing::hang_guard guard("fork-join while maxprocs changes", 120s);
  weft::run({.maxprocs = 2}, [] {
    std::atomic<bool> stop{false};
    weft::wait_group others;
    others.go([&] {
      for (int i = 0; !stop; ++i) {
        weft::maxprocs(1 + i % 4);
        weft::sleep(200us);
      }
    });
    for (int round = 0; round < 30; ++round) {
      CHECK(fib(14) == 377);
      std::atomic<int> n{0};
      weft::parallel_for(0, 20, [&](int i) {
        if (i % 5 == 0) weft::sleep(100us);
        ++n;
      });
      CHECK(n == 20);
    }
    stop = true;
    others.wait();
  });
}

TEST_CASE("the first iterations of a range are not timed: each is a block of its own", "[parallel]") {
  weft::detail::block_size chosen(0), given(5);
  for (int i = 0; i < 16; ++i) {
    CHECK(chosen.next() == 1);
    CHECK(given.next() == 5);
  }
}

TEST_CASE("the last iteration of a range is taken while the one before it computes", "[parallel]") {
  const weft::testing::hang_guard guard("an idle P takes the last iteration", 60s);
  weft::run({.maxprocs = 2}, [] {
    std::atomic<bool> busy{false}, release{false}, last_ran{false};
    weft::wait_group other;
    other.go([&] {  // holds the other P while the range begins
      busy = true;
      while (!release) {
      }
    });
    while (!busy) weft::yield();
    weft::parallel_for(0, 2,
                       [&](int i) {
                         if (i == 1) {
                           last_ran = true;
                           return;
                         }
                         release = true;
                         while (!last_ran) weft::parallel_invoke([] {}, [] {});
                       },
                       {.grain = 1});
    other.wait();
    CHECK(last_ran);
  });
}

TEST_CASE("a region that ends inside a branch leaves the forks to be shared", "[parallel]") {
  on_ps([] {
    const auto c = weft::make_chan<int>();
    std::optional<weft::no_suspend> region;
    region.emplace();
    int got = 0;
    weft::parallel_invoke(
        [&] {
          region.reset();
          got = *c.recv();
        },
        [&] { c.send(7); });
    CHECK(got == 7);
  });
}
