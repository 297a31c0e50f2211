// W4: one worker behind a bounded queue, and a channel that was never made.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

class tracker {
 public:
  // run() sends to `stop` when it ends. The lecture's program forgot to make it: a nil channel.
  explicit tracker(chan<void> stop) : stop_(std::move(stop)) {}

  // Puts data into the queue, and waits while it is full, but not longer than ctx. Returns "" or
  // the error.
  std::string event(const context& ctx, const std::string& data) const {
    try {
      const std::error_code err = queue_.send(ctx, data);
      return err ? err.message() : "";
    } catch (const panic& p) {  // after shutdown: send on closed channel
      return p.what();
    }
  }
  void run() const {
    for (const std::string& data : queue_) {
      sleep(lesson::scaled(1s));
      println("{}", data);
    }
    stop_.send();
  }
  // Accepts no more events. Waits until run() has written the queued ones, but not longer than ctx.
  std::error_code shutdown(const context& ctx) const {
    queue_.close();
    return select(recv(stop_), recv(ctx.done())) == 0 ? std::error_code() : ctx.err();
  }

 private:
  chan<std::string> queue_ = make_chan<std::string>(10);
  chan<void> stop_;
};

void three_events(duration limit, chan<void> stop) {
  const tracker t(std::move(stop));
  go([=] { t.run(); });  // the caller decides how many workers there are
  for (int i = 0; i < 3; ++i) (void)t.event(background(), "test");
  const lesson::stopwatch watch;
  const auto [ctx, cancel] = with_deadline(background(), now() + lesson::scaled(limit));
  const std::error_code err = t.shutdown(ctx);
  println("shutdown: {} after {} ms", err ? err.message() : "complete", watch.ms());
}

void wrong() { three_events(5s, chan<void>()); }
void right() { three_events(5s, make_chan<void>(1)); }
void too_late() { three_events(1500ms, make_chan<void>(1)); }
void unbuffered() { three_events(1500ms, make_chan<void>()); }

// Without a worker the queue fills up, and the eleventh event finds no room.
void full() {
  const tracker t(make_chan<void>(1));
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(100ms));
  for (int i = 1; i <= 11; ++i)
    if (const std::string err = t.event(ctx, "test"); !err.empty()) println("event {}: {}", i, err);
  go([=] { t.run(); });
  (void)t.shutdown(ctx);
  println("late event: {}", t.event(background(), "test"));
}

const lesson::page page{
    "W4",
    "worker",
    {{"wrong", "stop was never made: shutdown uses its whole limit", wrong, {.leaks = 1}},
     {"right", "stop has room for one: complete as soon as all is written", right},
     {"too-late", "a limit of 1.5 s: an error, and the rest is written later", too_late},
     {"unbuffered",
      "stop without room: the worker waits for a receiver that has left",
      unbuffered,
      {.leaks = 1, .later = 3s}},
     {"full", "a full queue holds the sender up, a closed one refuses it", full, {.end = lesson::at_end::leave}}}};

}  // namespace
