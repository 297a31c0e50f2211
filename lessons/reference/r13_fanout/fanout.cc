// R13: jobs that a few workers do later, and values that are collected into batches.
#include <fmt/ranges.h>

#include <functional>
#include <map>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct trace {
  using type = std::string;
};

class fanout {
 public:
  using job = std::function<void(const context&)>;

  explicit fanout(std::size_t room = 1024, int workers = 1) : jobs_(make_chan<item>(room)) {
    for (int i = 0; i < workers; ++i)
      crew_.go([jobs = jobs_] {
        for (const item& next : jobs) run(next);
      });
  }
  // Never waits. Returns "" or the error. The job gets the request's values, but neither its end
  // nor its deadline.
  std::string later(const context& ctx, job f) const {
    if (ctx.err()) return ctx.err().message();
    return jobs_.try_send(item{without_cancel(ctx), std::move(f)}) ? "" : "fanout: chan full";
  }
  // Accepts no more jobs. Waits until the accepted ones are done.
  void close() {
    jobs_.close();
    crew_.wait();
  }

 private:
  struct item {
    context ctx;
    job f;
  };
  static void run(const item& i) {
    try {
      i.f(i.ctx);
    } catch (const std::exception& e) {
      println("a job failed: {}", e.what());  // and the worker continues
    }
  }
  chan<item> jobs_;
  wait_group crew_;
};

void later() {
  fanout cache(2);
  auto [ctx, cancel] = with_cancel(with_value<trace>(background(), "request 7"));
  const auto save = [](const context& c) {
    sleep(lesson::scaled(5ms));
    println("saved for {}, {}", *c.value<trace>(), c.err() ? "cancelled" : "not cancelled");
  };
  const auto busy = make_chan<void>();  // the worker's first job takes until main has filled the queue
  (void)cache.later(ctx, [=](const context&) { busy.send(), busy.recv(); });
  busy.recv();
  for (int i = 1; i <= 3; ++i)
    if (const std::string err = cache.later(ctx, save); !err.empty()) println("job {}: {}", i, err);
  cancel();  // the request is answered
  println("after its end: {}", cache.later(ctx, save));
  busy.close();
  cache.close();
}

void recovers() {
  fanout cache;
  (void)cache.later(background(), [](const context&) { throw std::runtime_error("no cache today"); });
  (void)cache.later(background(), [](const context&) { println("the next one is done"); });
  cache.close();
}

// Values of one key are collected until there are `most` or the interval has passed.
void collect(const recv_chan<std::pair<std::string, int>>& in, std::size_t most, duration interval) {
  std::map<std::string, std::vector<int>> batch;
  std::size_t n = 0;
  ticker tick(interval);
  const auto flush = [&](const char* why) {
    if (n > 0) println("{}: {}", why, batch);
    batch.clear();
    n = 0;
  };
  for (;;) {
    std::optional<std::pair<std::string, int>> v;
    if (select(recv(in, v), recv(tick.c())) == 1) flush("interval");
    else if (!v) return flush("closed");
    else if (batch[v->first].push_back(v->second); ++n == most) flush("full");
  }
}

void pipeline() {
  auto in = make_chan<std::pair<std::string, int>>();
  wait_group collector;
  collector.go([=] { collect(in, 3, lesson::scaled(500ms)); });
  for (int i = 0; i < 3; ++i) in.send({i % 2 ? "odd" : "even", i});
  in.send({"late", 1});
  sleep(lesson::scaled(1200ms));
  in.send({"last", 1});
  in.close();
  collector.wait();
}

const lesson::page page{"R13",
                        "fanout",
                        {{"later", "room for two: the third is refused immediately", later},
                         {"recovers", "a job that throws", recovers},
                         {"pipeline", "batches by size and by time", pipeline}}};

}  // namespace
