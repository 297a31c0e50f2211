// A channel or a timer that was made in a schedule is refused in each other schedule and outside.
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/mutex.h>
#include <weft/select.h>
#include <weft/sim.h>
#include <weft/time.h>
#include <weft/timer.h>

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using weft::sim::explore;
using weft::sim::report;
using weft::sim::run;
using weft::sim::verdict;

namespace {

const std::string of_ended = " of a simulation that has ended";
const std::string ended_send = "send on channel" + of_ended, ended_receive = "receive on channel" + of_ended,
                  ended_close = "close of channel" + of_ended, ended_stop = "stop of timer" + of_ended,
                  ended_reset = "reset of timer" + of_ended;

template <class F>
std::string panic_of(F f) {
  try {
    f();
  } catch (const weft::panic& p) {
    return p.what();
  }
  return "no panic";
}

// Each form of an operation on it.
void check_refused(const weft::chan<int>& ch) {
  const weft::context ctx = weft::background();
  int v = 0;
  for (const std::string& said :
       {panic_of([&] { ch.send(1); }), panic_of([&] { ch.try_send(1); }), panic_of([&] { ch.send_for(1, 1ms); }),
        panic_of([&] { (void)ch.send(ctx, 1); }), panic_of([&] { weft::send_chan<int>(ch).send(1); }),
        panic_of([&] { weft::select(weft::send(ch, 1)); }),
        panic_of([&] { weft::select(weft::send(ch, 1), weft::otherwise); }),
        panic_of([&] { weft::select(weft::send(ch, 1), weft::recv(weft::chan<int>{})); })})
    CHECK(said == ended_send);
  for (const std::string& said :
       {panic_of([&] { ch.recv(); }), panic_of([&] { ch.try_recv(); }), panic_of([&] { ch.recv_for(1ms); }),
        panic_of([&] { (void)ch.recv(ctx); }), panic_of([&] { weft::recv_chan<int>(ch).recv(); }), panic_of([&] {
          for (const int n : ch) v += n;
        }),
        panic_of([&] { weft::select(weft::recv(ch, v)); }),
        panic_of([&] { weft::select(weft::recv(ch, v), weft::otherwise); }),
        panic_of([&] { weft::select(weft::recv(ch, v), weft::recv(weft::chan<int>{})); }), panic_of([&] {
          std::vector<weft::select_case> cases;
          cases.push_back(weft::recv(ch, v));
          weft::try_select(std::span(cases));
        })})
    CHECK(said == ended_receive);
  CHECK(panic_of([&] { ch.close(); }) == ended_close);
}

}  // namespace

TEST_CASE("a channel of a simulation that has ended is refused outside, in each form", "[sim][BUB-10]") {
  weft::chan<int> plain, empty, filled, full, closed;
  REQUIRE(run([&] {
    plain = weft::make_chan<int>();
    empty = weft::make_chan<int>(2);
    filled = weft::make_chan<int>(2);
    full = weft::make_chan<int>(2);
    closed = weft::make_chan<int>(2);
    filled.send(1);
    for (int i = 0; i < 2; ++i) full.send(i);
    closed.send(1);
    closed.close();
  }));
  for (const weft::chan<int>& ch : {plain, empty, filled, full, closed}) check_refused(ch);
  weft::run([&] { check_refused(filled); });
}

TEST_CASE("a channel without values and one of large values are refused outside too", "[sim][BUB-10]") {
  using large = std::array<char, 8192>;
  weft::chan<void> bare;
  weft::chan<large> wide;
  REQUIRE(run([&] {
    bare = weft::make_chan<void>(1);
    bare.send();
    wide = weft::make_chan<large>(1);
    wide.send(large{});
  }));
  CHECK(panic_of([&] { bare.send(); }) == ended_send);
  CHECK(panic_of([&] { bare.try_send(); }) == ended_send);
  CHECK(panic_of([&] { bare.recv(); }) == ended_receive);
  CHECK(panic_of([&] { wide.try_send(large{}); }) == ended_send);
  CHECK(panic_of([&] { wide.send_for(large{}, 1ms); }) == ended_send);
  CHECK(panic_of([&] { wide.recv(); }) == ended_receive);
}

TEST_CASE("what a channel of a simulation that has ended contains is destroyed with it, once", "[sim][BUB-10]") {
  const auto value = std::make_shared<int>(1);
  weft::chan<std::shared_ptr<int>> kept;
  REQUIRE(run([&] {
    auto ch = weft::make_chan<std::shared_ptr<int>>(4);
    for (int i = 0; i < 3; ++i) ch.send(value);
    kept = ch;
  }));
  CHECK(value.use_count() == 4);
  CHECK(kept.cap() == 4);
  weft::chan<std::shared_ptr<int>> copy = kept;
  CHECK(copy == kept);
  copy = {};
  CHECK(value.use_count() == 4);
  kept = {};
  CHECK(value.use_count() == 1);
}

TEST_CASE("a channel that a static keeps for the next schedule is a panic there, with its place", "[sim][BUB-10]") {
  static int line = 0;
  const auto program = [] {
    static auto ch = weft::make_chan<int>(1);
    line = __LINE__ + 1;
    ch.send(1);
    ch.recv();
  };
  const report r = explore({.seed = 1}, program);
  INFO(r);
  CHECK(r.what == verdict::panic);
  CHECK(r.message.find(ended_send + ", in fiber 1") != std::string::npos);
  CHECK(r.story.find("panics after send ended_objects_test.cc:" + std::to_string(line)) != std::string::npos);
  CHECK(weft::sim::replay(r.replay, program).message == r.message);
}

TEST_CASE("what a static keeps from one schedule in many is found in the next", "[sim][BUB-10]") {
  weft::chan<int> kept;
  const report r = explore({.seed = 1}, [&] {
    if (kept) kept.try_recv();
    if (weft::sim::choose(10) == 7) kept = weft::make_chan<int>();
  });
  INFO(r);
  CHECK(r.what == verdict::panic);
  CHECK(r.message.find(ended_receive) != std::string::npos);
}

TEST_CASE("each schedule may make its channels in the same place", "[sim][BUB-10]") {
  weft::chan<int> kept;
  const report r = explore({.seed = 1, .schedules = 100}, [&] {
    kept = weft::make_chan<int>(1);
    kept.send(1);
    weft::go([&kept] { kept.send(2); });
    weft::sim::require(kept.recv() == 1);
    weft::sim::require(kept.recv() == 2);
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("a timer of a simulation that has ended is refused outside", "[sim][BUB-11]") {
  weft::timer waits, fired, stopped, calls, called;
  weft::ticker ticks;
  weft::recv_chan<weft::time_point> once;
  REQUIRE(run([&] {
    waits = weft::timer(1h);
    fired = weft::timer(1s);
    stopped = weft::timer(1s);
    stopped.stop();
    calls = weft::after_func(1h, [] {});
    called = weft::after_func(1s, [] {});
    ticks = weft::ticker(1s);
    once = weft::after(1h);
    weft::sleep(2s);
  }));
  for (weft::timer* t : {&waits, &fired, &stopped, &calls, &called}) {
    CHECK(panic_of([&] { t->stop(); }) == ended_stop);
    CHECK(panic_of([&] { t->reset(1s); }) == ended_reset);
  }
  for (weft::timer* t : {&waits, &fired, &stopped}) CHECK(panic_of([&] { t->c().recv(); }) == ended_receive);
  CHECK(panic_of([&] { ticks.stop(); }) == ended_stop);
  CHECK(panic_of([&] { ticks.reset(1s); }) == ended_reset);
  CHECK(panic_of([&] { ticks.c().recv(); }) == ended_receive);
  CHECK(panic_of([&] { weft::select(weft::recv(once), weft::otherwise); }) == ended_receive);
  weft::run([&] {
    CHECK(panic_of([&] { waits.reset(1s); }) == ended_reset);
    waits = weft::timer(1h);
    CHECK(waits.stop());
  });
}

TEST_CASE("a timer that a static keeps for the next schedule is a panic there", "[sim][BUB-11]") {
  std::optional<weft::timer> tick, call;
  const report reset = run([&] {
    if (tick) tick->reset(1s);
    tick.emplace(1h);
  });
  INFO(reset);
  CHECK(reset.what == verdict::panic);
  CHECK(reset.message.find(ended_reset) != std::string::npos);
  const report stop = run([&] {
    if (call) call->stop();
    call = weft::after_func(1h, [] {});
  });
  INFO(stop);
  CHECK(stop.what == verdict::panic);
  CHECK(stop.message.find(ended_stop) != std::string::npos);
}

TEST_CASE("in its own schedule a timer that has fired is stopped and reset", "[sim][BUB-11]") {
  const report r = run([] {
    auto calls = std::make_shared<int>(0);
    weft::timer t(1s);
    weft::timer f = weft::after_func(1s, [calls] { ++*calls; });
    weft::sleep(2s);
    weft::sim::require(t.stop(), "its tick is there");
    weft::sim::require(!t.stop() && !f.stop());
    weft::sim::require(!t.reset(1s) && !f.reset(1s));
    t.c().recv();
    weft::sim::wait();
    weft::sim::require(*calls == 2);
  });
  INFO(r);
  CHECK(r);
}
