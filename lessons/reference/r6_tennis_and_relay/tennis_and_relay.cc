// R6: a tennis match and a relay race, each with one channel.
#include <random>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Who has the ball hits or misses; who misses closes the court, and the other one sees that.
void player(const std::string& name, const chan<int>& court, unsigned seed) {
  std::minstd_rand luck(seed);
  for (;;) {
    const auto ball = court.recv();
    if (!ball) return println("{}: won", name);
    if (luck() % 100 < 13) {
      println("{}: missed", name);
      return court.close();
    }
    println("{}: hit {}", name, *ball);
    court.send(*ball + 1);
  }
}

void tennis() {
  auto court = make_chan<int>();
  wait_group match;
  match.go([=] { player("Nadal", court, 20); });
  match.go([=] { player("Djokovic", court, 9); });
  court.send(1);
  match.wait();
}

// Each runner waits for the baton, runs a leg, and hands it to the next, who has started to wait by
// then.
void runner(const chan<int>& baton, const chan<void>& finish) {
  const int me = *baton.recv();
  println("runner {} running with the baton", me);
  if (me < 4) {
    println("runner {} to the line", me + 1);
    go([=] { runner(baton, finish); });
  }
  sleep(lesson::scaled(100ms));
  if (me == 4) {
    println("runner {} finished, race over", me);
    return finish.close();
  }
  println("runner {} hands over to runner {}", me, me + 1);
  baton.send(me + 1);
}

void relay() {
  const lesson::stopwatch watch;
  auto baton = make_chan<int>();
  auto finish = make_chan<void>();
  go([=] { runner(baton, finish); });
  baton.send(1);
  finish.recv();
  println("after {} ms", watch.ms());
}

const lesson::page page{"R6",
                        "tennis_and_relay",
                        {{"tennis", "two players, one ball", tennis}, {"relay", "four runners, one baton", relay}}};

}  // namespace
