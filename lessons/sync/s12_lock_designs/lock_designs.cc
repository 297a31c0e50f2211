// S12: barging, handing off, spinning, and a lock that changes between them.
#include <mutex>

#include "lessons/support/page.h"
#include "lessons/sync/locks.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

// Four fibers that take the lock again and again. How often is it taken in all, and how often by
// each?
template <class Lock>
void crowd() {
  Lock lock;
  std::atomic<bool> stop = false;
  std::vector<long> taken(4);
  wait_group all;
  for (long& mine : taken)
    all.go([&] {
      while (!stop.load()) {
        const std::lock_guard hold(lock);
        ++mine;
        if (mine % 16 == 0) yield();  // another fiber comes while it is held
      }
    });
  sleep(lesson::scaled(200ms));
  stop.store(true);
  all.wait();
  const auto [least, most] = std::minmax_element(taken.begin(), taken.end());
  lesson::println("taken {} times; the luckiest fiber {}, the unluckiest {}", taken[0] + taken[1] + taken[2] + taken[3],
                  *most, *least);
}

void barging() { crowd<locks::barging>(); }
void handoff() { crowd<locks::handoff>(); }
void spinning() { crowd<locks::spinning>(); }
void both() { crowd<mutex>(); }

const lesson::page page{"S12",
                        "lock_designs",
                        {{"barging", "open to the first fiber that tries", barging},
                         {"handoff", "given to the fiber that has waited longest", handoff},
                         {"spinning", "tried for a while before waiting", spinning},
                         {"right", "barging, until a fiber starves", both}}};

}  // namespace
