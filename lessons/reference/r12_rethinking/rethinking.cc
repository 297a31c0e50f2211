// R12: a queue with a condition variable, with a channel as its state, and a limit by a semaphore
// channel.
#include <deque>
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// The classical queue: get() waits for a signal.
class cond_queue {
 public:
  int get() {
    std::unique_lock hold(lock_);
    while (items_.empty()) not_empty_.wait(hold);
    const int item = items_.front();
    items_.pop_front();
    return item;
  }
  void put(int item) {
    const std::lock_guard hold(lock_);
    items_.push_back(item);
    not_empty_.signal();
  }

 private:
  mutex lock_;
  cond not_empty_;
  std::deque<int> items_;
};

// The same with two channels of capacity 1. The items are in one of them: in `items_` if there are
// any, else the token is in `empty_`. A receive takes the state and is the lock, so a context can
// end the wait.
class chan_queue {
 public:
  chan_queue() { empty_.send({}); }
  std::optional<int> get(const context& ctx) const {
    std::optional<std::deque<int>> items;
    if (select(recv(ctx.done()), recv(items_, items)) == 0) return {};
    const int item = items->front();
    items->pop_front();
    give_back(std::move(*items));
    return item;
  }
  void put(int item) const {
    std::optional<std::deque<int>> items;
    select(recv(items_, items), recv(empty_, items));
    items->push_back(item);
    give_back(std::move(*items));
  }

 private:
  void give_back(std::deque<int> items) const { (items.empty() ? empty_ : items_).send(std::move(items)); }
  chan<std::deque<int>> items_ = make_chan<std::deque<int>>(1), empty_ = make_chan<std::deque<int>>(1);
};

constexpr int jobs = 100;

void with_cond() {
  cond_queue queue;
  wait_group putting;
  putting.go([&] {
    for (int i = 1; i <= jobs; ++i, yield()) queue.put(i);
  });
  int sum = 0;
  for (int i = 0; i < jobs; ++i) sum += queue.get();
  putting.wait();
  println("condition variable: {} items, sum {}", jobs, sum);
}

void with_channels() {
  const chan_queue queue;
  wait_group putting;
  putting.go([&] {
    for (int i = 1; i <= jobs; ++i, yield()) queue.put(i);
  });
  int sum = 0;
  for (int i = 0; i < jobs; ++i) sum += *queue.get(background());
  putting.wait();
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(std::chrono::milliseconds(10)));
  println("channels: {} items, sum {}; then {}", jobs, sum, queue.get(ctx) ? "one more" : "the wait was cancelled");
}

// Workers that live on and wait for jobs, or a fiber per job and a limit: the limit needs no pool.
void limit() {
  constexpr std::size_t most = 3;
  const auto permits = make_chan<void>(most);
  std::atomic<std::size_t> inside{0};
  std::atomic<bool> too_many{false};
  for (int i = 0; i < jobs; ++i) {
    permits.send();
    go([&, permits] {
      if (++inside > most) too_many = true;
      yield();
      --inside;
      permits.recv();
    });
  }
  for (std::size_t i = 0; i < most; ++i) permits.send();  // waits for the last ones
  println("{} jobs, {}", jobs, too_many ? "too many at a time" : "at most 3 at a time");
}

const lesson::page page{"R12",
                        "rethinking",
                        {{"cond", "a queue with a lock and a condition variable", with_cond},
                         {"channels", "a queue whose state is in a channel", with_channels},
                         {"limit", "a limit without a pool of workers", limit}}};

}  // namespace
