// A larger stack for one call of a fiber.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/time.h>
#include <weft/wait_group.h>
#include <weft/with_stack.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>

#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Writes to the stack from here to `end`; calls f at the bottom. Returns the number of calls.
[[gnu::noinline]] int dig_to(std::uintptr_t end, const std::function<void()>& f) {
  volatile char earth[1024];
  for (std::size_t i = 0; i < sizeof earth; i += 64) earth[i] = 1;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));  // a sanitizer's frames are larger
  const int below = here > end ? dig_to(end, f) : (f(), 0);
  return below + earth[64];
}

// Uses `bytes` of the stack, and a frame more.
int dig(std::size_t bytes, const std::function<void()>& f) {
  return dig_to(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) - bytes, f);
}

}  // namespace

TEST_CASE("with_stack runs what needs more stack than its fiber has", "[sched][with_stack]") {
  const int procs = GENERATE(1, 2, 4, 16);
  CAPTURE(procs);
  in_world(procs, [] {
    FACT(with_stack(4 << 20, [] { return dig(3 << 20, [] {}); }) > 500);
    const std::string text(4000, 'x');
    const std::regex pattern("(x|y)*");
    FACT(with_stack(32 << 20, [&] { return std::regex_match(text, pattern); }));
    wait_group all;
    for (int i = 0; i < 40; ++i) all.go([] { with_stack(1 << 20, [] { dig(900 << 10, [] { sleep(1ms); }); }); });
    all.wait();
  });
  report_broken_fact();
}

TEST_CASE("with_stack returns what its function returns, and throws what it throws", "[sched][with_stack]") {
  in_world(2, [] {
    int here = 3;
    FACT(&with_stack(64 << 10, [&]() -> int& { return here; }) == &here);
    FACT(*with_stack(64 << 10, [] { return std::make_unique<int>(5); }) == 5);
    with_stack(64 << 10, [&] { here = 4; });
    FACT(here == 4);
    for (int i = 0; i < 100; ++i) {
      std::string what;
      try {
        with_stack(1 << 20, [] { dig(500 << 10, [] { throw std::runtime_error("the boiler burst"); }); });
      } catch (const std::runtime_error& e) {
        what = e.what();
      }
      FACT(what == "the boiler burst");
    }
  });
  report_broken_fact();
}

TEST_CASE("a fiber may block, nest and end inside with_stack", "[sched][with_stack]") {
  const int procs = GENERATE(1, 2, 4);
  CAPTURE(procs);
  in_world(procs, [] {
    const auto there = make_chan<int>(), back = make_chan<int>();
    wait_group all;
    all.go([&] {
      with_stack(1 << 20, [&] {
        dig(600 << 10, [&] {
          for (int i = 0; i < 200; ++i) {
            there.send(i);
            FACT(*back.recv() == i + 1);
          }
          with_stack(2 << 20, [&] { dig(1500 << 10, [&] { yield(); }); });
        });
      });
      there.close();
    });
    for (const int i : there) back.send(i + 1);
    all.wait();
    bool destroyed = false, went_on = false;
    all.go([&] {
      struct mark {
        bool& set;
        ~mark() { set = true; }
      } const outside{destroyed};
      with_stack(1 << 20, [] { goexit(); });
      went_on = true;
    });
    all.wait();
    FACT(destroyed);
    FACT(!went_on);
  });
  report_broken_fact();
}

TEST_CASE("with_stack refuses sizes out of range, and runs on a plain thread's own stack", "[sched][with_stack]") {
  CHECK(with_stack(1 << 20, [] { return 4; }) == 4);
  CHECK_THROWS_AS(with_stack(0, [] {}), panic);
  CHECK_THROWS_AS(with_stack(1000, [] {}), panic);
  CHECK_THROWS_AS(with_stack((std::size_t{1} << 30) + 1, [] {}), panic);
}

namespace {

bool called = false;
void mark_called() { called = true; }
int seven() { return 7; }

}  // namespace

TEST_CASE("with_stack calls functions too", "[sched][with_stack]") {
  in_world(1, [] {
    with_stack(1 << 20, mark_called);
    CHECK(called);
    CHECK(with_stack(1 << 20, seven) == 7);
    CHECK(with_stack(1 << 20, &seven) == 7);
  });
}
