// S2: the counter of S1, with a switch between the read and the write.
#include <weft/sim.h>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;

lesson::racy<int> counter = 0;

template <class Switch>
void count(Switch switch_fibers) {
  counter = 0;
  wait_group wg;
  for (int routine = 1; routine <= 2; ++routine)
    wg.go([=] {
      for (int count = 0; count < 2; ++count) {
        int value = counter;
        switch_fibers();
        value++;
        counter = value;
      }
    });
  wg.wait();
  lesson::println("Final Counter: {}", static_cast<int>(counter));
  if (sim::active()) sim::require(counter == 4, "no update is lost");  // with --explore
}

void wrong() {
  count([] { yield(); });
}
void wrong_sleep() {
  count([] { sleep(1ns); });
}

const lesson::page page{"S2",
                        "forced_switch",
                        {{"wrong", "a yield between the read and the write", wrong},
                         {"wrong-sleep", "a sleep of a nanosecond, as in the original", wrong_sleep}}};

}  // namespace
