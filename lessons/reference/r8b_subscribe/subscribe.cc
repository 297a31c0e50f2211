// R8b: a subscription to a feed: one fiber, one loop, one select.
#include <deque>
#include <set>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct item {
  std::string guid;
};
struct fetched {
  std::vector<item> items;
  std::error_code err;
};

// Fetched by one fiber at a time. It has three items, one of them twice, and fails at its second
// fetch.
class fake_feed {
 public:
  fetched fetch() {
    sleep(lesson::scaled(5ms));
    switch (++calls_) {
      case 1: return {{{"one"}, {"two"}}, {}};
      case 2: return {{}, make_error_code(errc::timeout)};
      default: return {{{"two"}, {"three"}}, {}};
    }
  }

 private:
  int calls_ = 0;
};

class subscription {
 public:
  explicit subscription(std::shared_ptr<fake_feed> feed) {
    go([=, *this] { loop(feed); });
  }
  recv_chan<item> updates() const { return updates_; }
  // Ends the loop; returns what the last fetch said.
  std::error_code close() const {
    auto answer = make_chan<std::error_code>();
    closing_.send(answer);
    return *answer.recv();
  }

 private:
  static constexpr std::size_t most_pending = 10;

  void loop(const std::shared_ptr<fake_feed>& feed) const {
    std::deque<item> pending;
    std::set<std::string> seen;
    std::error_code err;
    chan<fetched> fetching;  // not nil while a fetch is under way
    time_point next = now();
    for (;;) {
      // Each case is there only while it makes sense.
      const bool may_fetch = !fetching && pending.size() < most_pending;
      const recv_chan<time_point> start = may_fetch ? after(next - now()) : recv_chan<time_point>();
      const chan<item> out = pending.empty() ? chan<item>() : updates_;
      const item first = pending.empty() ? item() : pending.front();
      chan<std::error_code> answer;
      fetched got;
      switch (select(recv(closing_, answer), recv(start), recv(fetching, got), send(out, first))) {
        case 0: answer.send(err); return updates_.close();
        case 1:
          fetching = make_chan<fetched>(1);
          go([feed, to = fetching] { to.send(feed->fetch()); });
          break;
        case 2:
          fetching = {};
          err = got.err;
          next = now() + (err ? lesson::scaled(30ms) : lesson::scaled(10ms));
          for (const item& i : got.items)
            if (seen.insert(i.guid).second) pending.push_back(i);
          break;
        case 3: pending.pop_front(); break;
      }
    }
  }

  chan<item> updates_ = make_chan<item>();
  chan<chan<std::error_code>> closing_ = make_chan<chan<std::error_code>>();
};

void right() {
  const subscription s(std::make_shared<fake_feed>());
  for (int i = 0; i < 3; ++i) println("{}", s.updates().recv()->guid);
  const std::error_code err = s.close();
  println("closed: {}", err ? err.message() : "no error");
  println("updates: {}", s.updates().recv() ? "another one" : "closed");
}

const lesson::page page{"R8b", "subscribe", {{"right", "fetch, deliver and close in one select", right}}};

}  // namespace
