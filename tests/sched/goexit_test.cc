#include <atomic>
#include <string>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct sets {
  std::atomic<bool>& flag;
  ~sets() { flag = true; }
};

template <int depth>
void leave_from_below(std::atomic<int>& destroyed) {
  struct counts {
    std::atomic<int>& n;
    ~counts() { ++n; }
  } frame{destroyed};
  if constexpr (depth == 0) goexit();
  else leave_from_below<depth - 1>(destroyed);
}

}  // namespace

TEST_CASE("goexit runs the destructors of every frame and nothing after itself", "[sched][GO-33]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> destroyed = 0;
    std::atomic<bool> after = false;
    wait_group all;
    all.go([&] {
      leave_from_below<20>(destroyed);
      after = true;
    });
    all.wait();
    CHECK(destroyed == 21);
    CHECK_FALSE(after);
  });
}

TEST_CASE("goexit ends only the fiber that calls it", "[sched][GO-33]") {
  hang_guard guard("goexit ended more than its fiber");
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> ended = 0, went_on = 0;
    wait_group all;
    for (int i = 0; i < 100; ++i) {
      all.go([&, i] {
        yield();
        if (i % 2 == 0) {
          ++ended;
          goexit();
        }
        yield();
        ++went_on;
      });
    }
    all.wait();
    CHECK(ended == 50);
    CHECK(went_on == 50);
  });
}

TEST_CASE("a handler for std::exception does not see goexit", "[sched][GO-33]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<bool> seen = false, destroyed = false;
    wait_group all;
    all.go([&] {
      try {
        sets on_the_way{destroyed};
        goexit();
      } catch (const std::exception&) {
        seen = true;
      }
    });
    all.wait();
    CHECK(destroyed);
    CHECK_FALSE(seen);
  });
}

TEST_CASE("a destructor that goexit runs may use channels and yield", "[sched][GO-33]") {
  hang_guard guard("a destructor under goexit hangs");
  in_world(GENERATE(1, 2, 4), [] {
    auto c = make_chan<int>();
    struct says_goodbye {
      chan<int> c;
      ~says_goodbye() {
        yield();
        c.send(1);
        yield();
      }
    };
    constexpr int n = 50;
    for (int i = 0; i < n; ++i) {
      go([c] {
        says_goodbye g{c};
        goexit();
      });
    }
    int sum = 0;
    for (int i = 0; i < n; ++i) sum += c.recv().value();
    CHECK(sum == n);
  });
}

TEST_CASE("a handler that sees goexit and rethrows does not stop it", "[sched][GO-33]") {
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> seen = 0;
    std::atomic<bool> after = false;
    wait_group all;
    all.go([&] {
      try {
        try {
          goexit();
        } catch (...) {
          ++seen;
          throw;
        }
      } catch (...) {
        ++seen;
        throw;
      }
      after = true;
    });
    all.wait();
    CHECK(seen == 2);
    CHECK_FALSE(after);
  });
}

TEST_CASE("an exception caught in a destructor under goexit does not end the exit", "[sched][DL-18]") {
  in_world(GENERATE(1, 4), [] {
    struct throws_and_catches {
      std::string& text;
      ~throws_and_catches() {
        try {
          yield();
          throw std::runtime_error("inner");
        } catch (const std::runtime_error& e) {
          text = e.what();
        }
      }
    };
    std::string text;
    std::atomic<bool> after = false;
    wait_group all;
    all.go([&] {
      throws_and_catches t{text};
      goexit();
      after = true;
    });
    all.wait();
    CHECK(text == "inner");
    CHECK_FALSE(after);
  });
}

TEST_CASE("goexit on a plain thread panics", "[sched][GO-33]") { CHECK_THROWS_AS(goexit(), panic); }

TEST_CASE("what a fiber captured is destroyed when goexit ends it", "[sched][GO-33]") {
  in_world(2, [] {
    std::atomic<bool> destroyed = false;
    struct owner {
      std::atomic<bool>* flag;
      explicit owner(std::atomic<bool>* f) : flag(f) {}
      owner(owner&& o) noexcept : flag(std::exchange(o.flag, nullptr)) {}
      ~owner() {
        if (flag) *flag = true;
      }
    };
    go([o = owner(&destroyed)] { goexit(); });
    for (int i = 0; i < 10'000 && !destroyed; ++i) sleep(std::chrono::microseconds(100));
    CHECK(destroyed);
  });
}
