// R5: what channels are for: signals, with or without data, with or without a guarantee.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void wait_for_result() {
  auto ch = make_chan<std::string>();
  go([=] {
    sleep(lesson::scaled(5ms));
    ch.send("paper");
  });
  println("manager: received {}", *ch.recv());
}

void wait_for_task() {
  auto ch = make_chan<std::string>();
  wait_group employee;
  employee.go([=] { println("employee: received {}", *ch.recv()); });
  sleep(lesson::scaled(5ms));
  ch.send("paper");
  employee.wait();
}

// Room for each sender: no sender waits.
void fan_out() {
  constexpr int children = 2000;
  auto ch = make_chan<int>(children);
  for (int i = 0; i < children; ++i) go([=] { ch.send(i); });
  int received = 0;
  while (received < children && ch.recv()) ++received;
  println("received {}", received);
}

void fan_out_semaphore() {
  constexpr int children = 2000;
  const auto workers = static_cast<std::size_t>(maxprocs());
  auto ch = make_chan<int>(children);
  auto sem = make_chan<void>(workers);
  auto inside = std::make_shared<std::atomic<int>>(0);
  auto most = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < children; ++i)
    go([=] {
      sem.send();
      const int n = ++*inside;
      for (int before = most->load(); before < n && !most->compare_exchange_weak(before, n);) continue;
      yield();
      --*inside;
      ch.send(i);
      sem.recv();
    });
  int received = 0;
  while (received < children && ch.recv()) ++received;
  println("received {}, at most {} inside, {} allowed", received, most->load(), workers);
}

// A fixed number of workers. The close ends them.
void pooling() {
  auto ch = make_chan<int>();
  std::atomic<int> done{0}, gone_home{0};
  wait_group workers;
  for (int w = 0; w < maxprocs(); ++w)
    workers.go([&, ch] {
      for (int job : ch) {
        (void)job;
        ++done;
      }
      ++gone_home;
    });
  for (int job = 0; job < 100; ++job) ch.send(job);
  ch.close();
  workers.wait();
  println("{} jobs, {} got the signal to go home", done.load(),
          gone_home.load() == maxprocs() ? "all workers" : "not all");
}

void bounded_pool() {
  constexpr int jobs = 2001;
  auto ch = make_chan<int>(static_cast<std::size_t>(maxprocs()));
  std::atomic<long> sum{0};
  wait_group workers;
  for (int w = 0; w < maxprocs(); ++w)
    workers.go([&, ch] {
      for (int job : ch) sum += job;
    });
  for (int job = 0; job < jobs; ++job) ch.send(job);
  ch.close();
  workers.wait();
  println("{} jobs, sum {}", jobs, sum.load());
}

// Tries again every 100 ms, until the limit.
void retry_with_timeout() {
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(500ms));
  int attempts = 0;
  const auto check = [&] {
    ++attempts;
    return make_error_code(errc::closed);
  };
  while (check())
    if (const std::error_code err = sleep(ctx, lesson::scaled(100ms)))
      return println("gave up: {}, after {} attempts", err.message(), attempts);
}

const lesson::page page{"R5",
                        "channel_behaviors",
                        {{"wait-for-result", "the employee starts by itself and reports", wait_for_result},
                         {"wait-for-task", "the employee waits for something to do", wait_for_task},
                         {"fan-out", "2000 children, room for 2000", fan_out},
                         {"semaphore", "2000 children, as many at work as there are Ps", fan_out_semaphore},
                         {"pooling", "100 jobs for a fixed number of workers", pooling},
                         {"bounded-pool", "2001 jobs through a queue with little room", bounded_pool},
                         {"retry", "again and again, until the limit", retry_with_timeout}}};

}  // namespace
