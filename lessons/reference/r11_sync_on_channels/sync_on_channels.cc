// R11: package sync, made of channels.
#include <mutex>
#include <shared_mutex>

#include "lessons/reference/sync_made_of_channels.h"
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void once() {
  made_of_channels::once o;
  std::atomic<int> ran{0};
  wait_group all;
  for (int i = 0; i < 3; ++i) all.go([&] { o.call([&] { ++ran; }); });
  all.wait();
  println("ran {} time", ran.load());
}

void mutex() {
  made_of_channels::mutex mu;
  int counter = 0;
  wait_group all;
  for (int i = 0; i < 10; ++i)
    all.go([&] {
      const std::lock_guard hold(mu);
      const int value = counter;
      yield();
      counter = value + 1;
    });
  all.wait();
  const bool free = mu.try_lock(), again = mu.try_lock();
  println("counter {}, try_lock {} and {}", counter, free, again);
}

void rw_mutex() {
  made_of_channels::rw_mutex mu;
  std::atomic<int> readers{0}, writers{0}, bad{0};
  wait_group all;
  for (int i = 0; i < 5; ++i) {
    all.go([&] {
      const std::shared_lock hold(mu);
      ++readers;
      bad += writers.load() != 0;
      sleep(lesson::scaled(5ms));
      --readers;
    });
    all.go([&] {
      const std::lock_guard hold(mu);
      bad += ++writers != 1 || readers.load() != 0;
      yield();
      --writers;
    });
  }
  all.wait();
  println("{} meetings of a writer with another fiber", bad.load());
}

void pool() {
  made_of_channels::pool<int> p(2);
  p.put(1);
  p.put(2);
  p.put(3);  // no room: dropped
  for (int i = 0; i < 3; ++i) println("{}", p.get());
}

void group() {
  made_of_channels::wait_group wg;
  std::atomic<int> done{0};
  for (int i = 0; i < 5; ++i) {
    wg.add(1);
    go([&] {
      sleep(lesson::scaled(5ms));
      ++done;
      wg.add(-1);
    });
  }
  wg.wait();
  println("done {}", done.load());
  try {
    wg.add(-1);
  } catch (const panic& e) {
    println("panic: {}", e.what());
  }
}

void cond() {
  made_of_channels::mutex mu;
  made_of_channels::cond c;
  bool ready = false;  // under mu
  std::atomic<int> woken{0};
  weft::wait_group all;
  for (int i = 0; i < 5; ++i)
    all.go([&] {
      const std::lock_guard hold(mu);
      while (!ready) c.wait(mu);
      ++woken;
    });
  sleep(lesson::scaled(5ms));
  mu.lock();
  ready = true;
  mu.unlock();
  c.broadcast();
  all.wait();
  println("woken {}", woken.load());
}

const lesson::page page{"R11",
                        "sync_on_channels",
                        {{"once", "a closed channel lets all pass", once},
                         {"mutex", "room for one", mutex},
                         {"rw-mutex", "a count that travels", rw_mutex},
                         {"pool", "a buffer", pool},
                         {"wait-group", "a generation for each round", group},
                         {"cond", "a channel of barriers", cond}}};

}  // namespace
