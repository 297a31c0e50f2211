// X7: whatever blocks can be ended.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void sleep_until(duration deadline) {
  const lesson::stopwatch watch;
  const auto [ctx, cancel] = with_deadline(background(), now() + lesson::scaled(deadline));
  switch (select(recv(after(lesson::scaled(1s))), recv(ctx.done()))) {
    case 0: println("overslept, after {} ms", watch.ms()); break;
    case 1: println("{}, after {} ms", ctx.err().message(), watch.ms()); break;
  }
}

void in_time() { sleep_until(1ms); }
void overslept() { sleep_until(2s); }

// Everything in weft that waits.
void everything() {
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(20ms));
  const auto say = [](const char* what, std::error_code err) { println("{}: {}", what, err.message()); };
  const auto c = make_chan<int>();
  mutex mu;
  mu.lock();
  rw_mutex rw;
  rw.lock();
  wait_group wg;
  wg.add(1);
  semaphore sem(0);
  say("receive", c.recv(ctx).err);
  say("send", c.send(ctx, 1));
  say("mutex", mu.lock(ctx));
  say("rw_mutex", rw.lock_shared(ctx));
  say("wait_group", wg.wait(ctx));
  say("semaphore", sem.acquire(ctx));
  say("sleep", sleep(ctx, 1h));
  wg.done();
}

const lesson::page page{"X7",
                        "cancelable",
                        {{"in-time", "a deadline of 1 ms for a sleep of 1 s", in_time},
                         {"overslept", "a deadline of 2 s", overslept},
                         {"everything", "all that waits takes a context", everything}}};

}  // namespace
