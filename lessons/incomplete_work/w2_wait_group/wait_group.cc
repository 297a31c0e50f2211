// W2: a tracker that counts what it has started and can be waited for.
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

constexpr int requests = 10;

class tracker {
 public:
  void event(const std::string& data) {
    wg_.add(1);  // before the fiber: it may not have run yet when shutdown looks
    go([this, data] {
      write(data);
      wg_.done();
    });
  }
  // The mistake to make here: the fiber counts itself.
  void event_counted_too_late(const std::string& data) {
    go([this, data] {
      wg_.add(1);
      write(data);
      wg_.done();
    });
  }
  void shutdown() { wg_.wait(); }

  int logged() const { return logged_.load(); }

 private:
  void write(const std::string&) {
    sleep(lesson::scaled(1ms));
    logged_.fetch_add(1);
  }
  wait_group wg_;
  std::atomic<int> logged_{0};
};

void serve(void (tracker::*event)(const std::string&)) {
  const auto track = std::make_unique<tracker>();
  for (int i = 0; i < requests; ++i) (track.get()->*event)("this event");  // no `go` here: event() does it
  track->shutdown();
  lesson::println("{} events, {} written down when the server stops", requests, track->logged());
  while (track->logged() < requests) sleep(1ms);  // what it is too late for in a real server
}

void wrong() { serve(&tracker::event_counted_too_late); }
void right() { serve(&tracker::event); }

const lesson::page page{
    "W2",
    "wait_group",
    {{"wrong", "the fiber counts itself, too late", wrong}, {"right", "counted before it starts", right}}};

}  // namespace
