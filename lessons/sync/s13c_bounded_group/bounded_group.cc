// S13c: what a group also needs: a bound, and an answer to exceptions.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void sleep_four_times(int limit) {
  errgroup group;
  if (limit > 0) group.set_limit(limit);
  const lesson::stopwatch watch;
  for (int i = 0; i < 4; ++i) group.go([] { sleep(lesson::scaled(1s)); });
  (void)group.wait();
  println("{}: {} ms", limit > 0 ? fmt::format("at most {} at a time", limit) : "unbounded", watch.ms());
}

void bounded() {
  sleep_four_times(0);
  sleep_four_times(2);
}

void recovers() {
  errgroup group;
  group.go([] { throw panic("2233"); });
  try {
    (void)group.wait();
  } catch (const panic& e) {
    println("wait: {}", e.what());
  }
}

void cancels() {
  auto [group, ctx] = errgroup::with_context(background());
  group.go([] { return make_error_code(errc::eof); });
  group.go([ctx = ctx] {
    ctx.done().recv();
    println("the other one: {}, because of: {}", ctx.err().message(), ctx.cause());
    return ctx.err();
  });
  println("wait: {}", group.wait().message());
}

const lesson::page page{"S13c",
                        "bounded_group",
                        {{"bounded", "four sleeps of a second, unbounded and two at a time", bounded},
                         {"recovers", "an exception is an error of the group", recovers},
                         {"cancels", "the first failure cancels the others", cancels}}};

}  // namespace
