// W3: a shutdown that waits up to a limit.
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

constexpr int requests = 10;

class tracker : public std::enable_shared_from_this<tracker> {
 public:
  explicit tracker(duration each) : each_(each) {}

  void event(const std::string& data) {
    wg_.add(1);
    go([self = shared_from_this(), data] {
      sleep(self->each_);
      self->logged_.fetch_add(1);
      self->wg_.done();
    });
  }

  // "" once all events are written, "timeout" if ctx ends before.
  std::string shutdown(const context& ctx) {
    auto all = make_chan<void>();
    go([=, self = shared_from_this()] {
      self->wg_.wait();
      all.close();
    });
    return select(recv(all), recv(ctx.done())) == 0 ? "" : "timeout";
  }
  // The same in weft's words: every wait may be given a context.
  std::error_code shutdown_directly(const context& ctx) { return wg_.wait(ctx); }

  int logged() const { return logged_.load(); }

 private:
  const duration each_;
  wait_group wg_;
  std::atomic<int> logged_{0};
};

std::shared_ptr<tracker> busy_tracker(duration each) {
  auto track = std::make_shared<tracker>(lesson::scaled(each));
  for (int i = 0; i < requests; ++i) track->event("this event");
  return track;
}

void stop(duration each, duration limit) {
  const auto track = busy_tracker(each);
  const lesson::stopwatch watch;
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(limit));
  const std::string err = track->shutdown(ctx);
  lesson::println("{}, {} of {} written down, after {} ms", err.empty() ? "complete" : err, track->logged(), requests,
                  watch.ms());
}

void right() { stop(1ms, 5s); }
void too_slow() { stop(300ms, 50ms); }

void directly() {
  const auto track = busy_tracker(300ms);
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(50ms));
  const std::error_code err = track->shutdown_directly(ctx);
  lesson::println("{}, {} of {} written down", err.message(), track->logged(), requests);
}

const lesson::page page{"W3",
                        "time_limit",
                        {{"right", "events of 1 ms, 5 s to wait for them", right},
                         {"too-slow", "events of 300 ms, 50 ms to wait for them", too_slow},
                         {"direct", "the wait group itself takes the context", directly}}};

}  // namespace
