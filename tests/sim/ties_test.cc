// Timers that are due at the same time: the seed says which is first.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/select.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/timer.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

using namespace std::chrono_literals;
using weft::sim::report;

namespace {

// The different texts that `program` appends to its argument, over the seeds. Each seed has one.
template <class F>
std::set<std::string> outcomes(F program) {
  std::set<std::string> all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::string first;
    for (int i = 0; i < 2; ++i) {
      std::string text;
      const report r = weft::sim::run({.seed = seed}, [&] {
        text.clear();
        program(text);
      });
      INFO(r);
      CHECK(r);
      if (i == 0) first = text;
      CHECK(text == first);
    }
    all.insert(first);
  }
  return all;
}

}  // namespace

TEST_CASE("sleeps of equal length end in each order, by the seed", "[sim][BUB-18]") {
  const auto orders = outcomes([](std::string& text) {
    for (const char name : {'a', 'b', 'c'})
      weft::go([&text, name] {
        weft::sleep(1s);
        text += name;
      });
    weft::sleep(2s);
  });
  CHECK(orders == std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"});
}

TEST_CASE("functions of equal timers run in each order, by the seed", "[sim][BUB-18]") {
  const auto orders = outcomes([](std::string& text) {
    for (const char name : {'a', 'b', 'c'}) weft::after_func(1s, [&text, name] { text += name; });
    weft::sleep(2s);
  });
  CHECK(orders == std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"});
}

TEST_CASE("of equal timers any may end a select first, by the seed", "[sim][BUB-18]") {
  const auto orders = outcomes([](std::string& text) {
    weft::timer a(1s), b(1s), c(1s);
    text += "abc"[weft::select(weft::recv(a.c()), weft::recv(b.c()), weft::recv(c.c()))];
  });
  CHECK(orders == std::set<std::string>{"a", "b", "c"});
}

TEST_CASE("a tick and the end of the wait for it may each be first, by the seed", "[sim][BUB-18]") {
  const auto orders = outcomes([](std::string& text) {
    weft::timer t(1s);
    text += t.c().recv_for(1s) ? "tick" : "end";
  });
  CHECK(orders == std::set<std::string>{"tick", "end"});
}

TEST_CASE("each order of equal timers is a schedule of the bounded strategy", "[sim][BUB-18]") {
  const report r = weft::sim::explore({.how = weft::sim::strategy::bounded}, [] {
    weft::timer a(1s), b(1s);
    weft::sim::require(weft::select(weft::recv(a.c()), weft::recv(b.c())) == 0);
  });
  CHECK(r.what == weft::sim::verdict::failed);
  CHECK(r.switches == 1);
  CHECK(r.story.find("another timer") != std::string::npos);
}

TEST_CASE("the order of equal timers and the fiber that runs next are replayed together", "[sim][BUB-18]") {
  const auto program = [] {
    auto slept = std::make_shared<bool>(false);
    weft::timer t(1s);
    weft::go([slept] {
      weft::sleep(1s);
      *slept = true;
    });
    const bool ticked = t.c().recv_for(1s).has_value();
    weft::sim::require(ticked || !*slept, "in time, or before the sleeper");
  };
  for (const auto how : {weft::sim::strategy::bounded, weft::sim::strategy::random})
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const report r = weft::sim::explore({.seed = seed, .how = how}, program);
      INFO(r);
      CHECK(r.what == weft::sim::verdict::failed);
      CHECK(weft::sim::replay(r.replay, program).message == r.message);
    }
}
