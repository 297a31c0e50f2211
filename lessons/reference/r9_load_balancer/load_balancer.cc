// R9: a balancer that gives each request to the worker with the least to do.
#include <functional>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

constexpr int requesters = 100, workers = 10, requests_each = 20;

struct request {
  std::function<int()> fn;
  chan<int> answer;
};

struct worker {
  chan<request> requests = make_chan<request>(requesters);  // to do; a buffer, so that the balancer never waits
  int pending = 0;
  long served = 0;

  void work(const chan<worker*>& done) {
    for (request& r : requests) {
      r.answer.send(r.fn());
      done.send(this);
    }
  }
};

class balancer {
 public:
  balancer() {
    for (auto& w : pool_) {
      w = std::make_unique<worker>();
      heap_.push_back(w.get());
      crew_.go([this, mine = w.get()] { mine->work(done_); });
    }
  }
  // Until `work` is closed and everything is answered.
  void balance(const recv_chan<request>& work) {
    bool open = true;
    for (int pending = 0; open || pending > 0;) {
      request r;
      worker* w = nullptr;
      switch (select(recv(open ? work : recv_chan<request>(), r, open), recv(done_, w))) {
        case 0:
          if (open) dispatch(std::move(r)), ++pending;
          break;
        case 1: completed(w), --pending; break;
      }
    }
    for (const auto& w : pool_) w->requests.close();
    crew_.wait();
  }
  long least() const { return count(std::less<>()); }
  long most() const { return count(std::greater<>()); }

 private:
  // The worker with the least to do is at the heap's top.
  static bool busier(const worker* a, const worker* b) { return a->pending > b->pending; }
  void dispatch(request r) {
    std::pop_heap(heap_.begin(), heap_.end(), busier);
    worker* w = heap_.back();
    w->requests.send(std::move(r));
    ++w->pending;
    std::push_heap(heap_.begin(), heap_.end(), busier);
  }
  void completed(worker* w) {
    --w->pending;
    ++w->served;
    std::make_heap(heap_.begin(), heap_.end(), busier);
  }
  template <class Before>
  long count(Before before) const {
    long n = pool_[0]->served;
    for (const auto& w : pool_)
      if (before(w->served, n)) n = w->served;
    return n;
  }

  std::array<std::unique_ptr<worker>, workers> pool_;
  std::vector<worker*> heap_;
  chan<worker*> done_ = make_chan<worker*>(workers);
  wait_group crew_;
};

void right() {
  auto work = make_chan<request>();
  std::atomic<int> answered{0};
  wait_group all;
  for (int i = 0; i < requesters; ++i)
    all.go([&, work] {
      auto answer = make_chan<int>(1);
      for (int k = 0; k < requests_each; ++k) {
        work.send({[] {
                     sleep(lesson::scaled(200us));
                     return 1;
                   },
                   answer});
        answered += *answer.recv();
      }
    });
  go([&] {
    all.wait();
    work.close();
  });
  balancer b;
  b.balance(work);
  println("{} answers from {} workers", answered.load(), workers);
  println("the busiest served {}, the idlest {}", b.most(), b.least());
}

const lesson::page page{"R9", "load_balancer", {{"right", "10 workers, 100 who ask", right}}};

}  // namespace
