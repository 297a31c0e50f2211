// W1: a request handler that starts a fiber and forgets it.
#include <atomic>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

constexpr int requests = 10;

class tracker {
 public:
  // Writes down that something happened, which takes its time.
  void event(const std::string&) {
    sleep(lesson::scaled(1ms));
    logged.fetch_add(1);
  }
  std::atomic<int> logged{0};
};

// What a handler writes to. A handler needs no network to be called.
struct response {
  int status = 0;
};

struct app {
  std::shared_ptr<tracker> track;

  void handle(response& w) const {
    w.status = 201;
    go([track = track] { track->event("this event"); });  // BUG: no code waits for it
  }
};

void wrong() {
  const app a{std::make_shared<tracker>()};
  int created = 0;
  for (int i = 0; i < requests; ++i) {
    response w;
    a.handle(w);
    created += w.status == 201;
  }
  lesson::println("{} requests: {} times status 201", requests, created);
  lesson::println("{} events written down when the server stops", a.track->logged.load());
}

const lesson::page page{
    "W1",
    "fire_and_hope",
    {{"wrong", "each request starts a fiber and forgets it", wrong, {.end = lesson::at_end::leave}}}};

}  // namespace
