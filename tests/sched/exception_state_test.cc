// A fiber's exceptions are its own, however often it changes threads while one is in flight.
//
// The C++ runtime keeps the caught and the uncaught exceptions of a *thread*. A fiber that is
// switched out inside a handler or a destructor must take that state along, or two fibers mix
// theirs up and one of them rethrows, destroys or reports another fiber's exception.
#include <cerrno>

#include <atomic>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct numbered {
  int n;
  std::shared_ptr<int> live = std::make_shared<int>(0);
};

// Suspends in a way that depends on `i`, so that fibers get out of step.
void suspend(int i) {
  if (i % 3 == 0) {
    auto c = make_chan<int>();
    go([c, i] { c.send(i); });
    c.recv();
  } else if (i % 7 == 0) {
    sleep(std::chrono::microseconds(50));
  } else {
    yield();
  }
}

// Runs `f(fiber, round)` in many fibers; `f` says whether all was as it should be.
template <class F>
int wrong_in_many_fibers(F f) {
  constexpr int fibers = 64;
  std::atomic<int> wrong = 0;
  wait_group all;
  for (int who = 0; who < fibers; ++who) {
    all.go([&, who] {
      for (int round = 0; round < scaled(60); ++round) wrong += f(who, round) ? 0 : 1;
    });
  }
  all.wait();
  return wrong;
}

}  // namespace

TEST_CASE("a fiber that yields inside a handler still has its own exception", "[sched][GO-45]") {
  hang_guard guard("exceptions across suspensions");
  in_world(GENERATE(1, 2, 4, 16), [] {
    CHECK(wrong_in_many_fibers([](int who, int round) {
            int mine = who * 1000 + round;
            try {
              throw numbered{mine};
            } catch (const numbered& e) {
              suspend(who + round);
              if (e.n != mine) return false;
              try {
                throw;  // the innermost caught exception: this fiber's
              } catch (const numbered& again) {
                suspend(round);
                return again.n == mine && &again == &e;
              }
            }
            return false;
          }) == 0);
  });
}

TEST_CASE("current_exception after a suspension is this fiber's", "[sched][GO-45]") {
  hang_guard guard("exceptions across suspensions");
  in_world(GENERATE(1, 2, 4, 16), [] {
    CHECK(wrong_in_many_fibers([](int who, int round) {
            if (std::current_exception()) return false;
            std::exception_ptr mine;
            try {
              throw numbered{who};
            } catch (...) {
              mine = std::current_exception();
              suspend(who + round);
              if (std::current_exception() != mine) return false;
            }
            suspend(round);
            return !std::current_exception();
          }) == 0);
  });
}

TEST_CASE("a destructor that suspends during unwinding resumes the right exception", "[sched][GO-45]") {
  hang_guard guard("exceptions across suspensions");
  in_world(GENERATE(1, 2, 4, 16), [] {
    CHECK(wrong_in_many_fibers([](int who, int round) {
            bool counted = true;
            struct suspends {
              int i;
              bool& counted;
              ~suspends() {
                counted = counted && std::uncaught_exceptions() == 1;
                suspend(i);
                counted = counted && std::uncaught_exceptions() == 1;
              }
            };
            try {
              suspends outer{who, counted};
              suspends inner{who + round, counted};
              throw numbered{who};
            } catch (const numbered& e) {
              return counted && e.n == who && std::uncaught_exceptions() == 0;
            }
            return false;
          }) == 0);
  });
}

TEST_CASE("exceptions nest across suspensions", "[sched][GO-45]") {
  hang_guard guard("exceptions across suspensions");
  in_world(GENERATE(1, 2, 4), [] {
    CHECK(wrong_in_many_fibers([](int who, int round) {
            auto dive = [who](auto self, int depth) -> bool {
              try {
                throw numbered{who * 10 + depth};
              } catch (const numbered& e) {
                suspend(who + depth);
                bool below = depth == 0 || self(self, depth - 1);
                suspend(depth);
                try {
                  throw;
                } catch (const numbered& again) {
                  return below && again.n == who * 10 + depth && &again == &e;
                }
              }
              return false;
            };
            return dive(dive, 1 + round % 4);
          }) == 0);
  });
}

TEST_CASE("an exception thrown and caught during unwinding leaves the outer one in force", "[sched][GO-45][DL-17]") {
  hang_guard guard("exceptions across suspensions");
  in_world(GENERATE(1, 2, 4), [] {
    CHECK(wrong_in_many_fibers([](int who, int round) {
            bool inner_seen = false;
            struct throws_and_catches {
              int n;
              bool& seen;
              ~throws_and_catches() {
                try {
                  suspend(n);
                  throw numbered{-n};
                } catch (const numbered& e) {
                  suspend(n + 1);
                  seen = e.n == -n && std::uncaught_exceptions() == 1;
                }
              }
            };
            try {
              throws_and_catches on_the_way{who + round, inner_seen};
              throw numbered{who};
            } catch (const numbered& e) {
              return inner_seen && e.n == who && std::uncaught_exceptions() == 0;
            }
            return false;
          }) == 0);
  });
}

TEST_CASE("a caught exception is destroyed once, by its own fiber", "[sched][GO-45]") {
  in_world(GENERATE(1, 4), [] {
    auto live = std::make_shared<int>(0);
    CHECK(wrong_in_many_fibers([&live](int who, int round) {
            try {
              throw numbered{who, live};
            } catch (const numbered&) {
              suspend(who + round);
            }
            return true;
          }) == 0);
    CHECK(live.use_count() == 1);
  });
}

TEST_CASE("a fiber starts with no exception although its starter is in a handler", "[sched][GO-45]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> inherited = 0;
    wait_group all;
    try {
      throw std::runtime_error("the starter's");
    } catch (...) {
      for (int i = 0; i < 50; ++i) {
        all.go([&] {
          if (std::current_exception() || std::uncaught_exceptions() != 0) ++inherited;
          yield();
          if (std::current_exception() || std::uncaught_exceptions() != 0) ++inherited;
        });
      }
      all.wait();
      CHECK(std::current_exception());
    }
    CHECK(inherited == 0);
  });
}

TEST_CASE("an exception travels from fiber to fiber as an exception_ptr", "[sched][GO-45]") {
  in_world(GENERATE(1, 4), [] {
    auto errors = make_chan<std::exception_ptr>();
    auto all_read = make_chan<void>();
    constexpr int n = 100;
    for (int i = 0; i < n; ++i) {
      go([errors, all_read, i] {
        try {
          throw numbered{i};
        } catch (...) {
          errors.send(std::current_exception());
          all_read.recv();  // TSan does not see the C++ library count who still has the exception
        }
      });
    }
    int sum = 0;
    for (int i = 0; i < n; ++i) {
      try {
        std::rethrow_exception(errors.recv().value());
      } catch (const numbered& e) {
        yield();
        sum += e.n;
      }
    }
    all_read.close();
    CHECK(sum == n * (n - 1) / 2);
  });
}

TEST_CASE("fiber-local data is the fiber's own on every thread", "[sched][GO-45]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    static fiber_local<int> local;
    CHECK(wrong_in_many_fibers([](int who, int round) {
            *local = who * 100 + round;
            suspend(who + round);
            return *local == who * 100 + round;
          }) == 0);
  });
}

TEST_CASE("an exception leaves a world that goes on being usable", "[sched][GO-45]") {
  for (int i = 0; i < 5; ++i) {
    std::string text;
    in_world(2, [&] {
      try {
        yield();
        throw std::runtime_error("caught inside");
      } catch (const std::runtime_error& e) {
        yield();
        text = e.what();
      }
    });
    CHECK(text == "caught inside");
    CHECK(std::uncaught_exceptions() == 0);
    CHECK_FALSE(std::current_exception());
  }
}
