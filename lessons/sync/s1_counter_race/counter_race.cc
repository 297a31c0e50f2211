// S1: two fibers count to two each. Looks right, and is a data race.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;

lesson::racy<int> counter = 0;

void wrong() {
  wait_group wg;
  for (int routine = 1; routine <= 2; ++routine)
    wg.go([] {
      for (int count = 0; count < 2; ++count) {
        int value = counter;
        value++;
        counter = value;
      }
    });
  wg.wait();
  lesson::println("Final Counter: {}", static_cast<int>(counter));
}

const lesson::page page{"S1", "counter_race", {{"wrong", "read, add, write, with nothing between", wrong}}};

}  // namespace
