// S4: the counter, mended in two ways.
#include <atomic>
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

template <class Step>
void count(Step step) {
  wait_group wg;
  for (int routine = 1; routine <= 2; ++routine)
    wg.go([=] {
      for (int count = 0; count < 2; ++count) step();
    });
  wg.wait();
}

void with_mutex() {
  mutex lock;
  int counter = 0;
  count([&] {
    const std::lock_guard hold(lock);
    int value = counter;
    yield();  // the other one may run, but not in here
    value++;
    counter = value;
  });
  println("Final Counter: {}", counter);
}

void with_atomic() {
  std::atomic<int> counter = 0;
  count([&] {
    counter.fetch_add(1);
    yield();
  });
  println("Final Counter: {}", counter.load());
}

const lesson::page page{
    "S4",
    "counter_fixed",
    {{"right", "a mutex around the three steps", with_mutex}, {"atomic", "one atomic step", with_atomic}}};

}  // namespace
