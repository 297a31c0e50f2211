// S11: one fiber holds a lock nearly all the time; another one takes it ten times.
#include <mutex>

#include "lessons/support/page.h"
#include "lessons/sync/locks.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

// The program is the same for every lock. It gives up after a while, which the original does not.
template <class Lock>
void compete() {
  Lock mu;
  auto done = make_chan<bool>(1);
  const auto has_it = make_chan<void>();  // the greedy one is there first, however busy the machine is
  long greedy = 0;
  wait_group both;
  both.add(2);
  go({.name = "greedy"}, [&] {
    for (;;) {
      bool stop;
      if (select(recv(done, stop), otherwise) == 0) return both.done();
      mu.lock();
      if (++greedy == 1) has_it.close();
      sleep(100us);
      mu.unlock();
    }
  });
  has_it.recv();
  std::atomic<int> polite = 0;
  go({.name = "polite"}, [&] {
    for (int i = 0; i < 10; ++i) {
      sleep(100us);
      mu.lock();
      ++polite;
      mu.unlock();
    }
    both.done();
  });
  for (const time_point limit = now() + lesson::scaled(1s); polite.load() < 10 && now() < limit;) sleep(1ms);
  lesson::println("the polite one had the lock {} of 10 times{}", polite.load(),
                  polite.load() < 10 ? ", after 1 s" : "");
  done.send(true);
  both.wait();
  lesson::println("the greedy one {} times", greedy);
}

void wrong() { compete<locks::barging>(); }
void right() { compete<mutex>(); }

const lesson::page page{"S11",
                        "starvation",
                        {{"wrong", "a lock that the first fiber to try gets", wrong},
                         {"right", "weft's mutex: who has waited for 1 ms gets it next", right}}};

}  // namespace
