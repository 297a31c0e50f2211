// The small programs of SCTBench (Thomson, Donaldson, Betts, "Concurrency Testing Using Schedule
// Bounding", PPoPP 2014), as new programs. They are of another kind than GoKer's: few operations,
// but the failing schedule may be one among very many.
#include "corpus/kernels.h"

namespace corpus {
namespace {

// Money is taken and paid in; the check relies on both having ended.
void account(variant v) {
  struct state {
    weft::mutex mu;
    int balance = 10;
    bool paid_in = false, taken = false;
  };
  auto s = std::make_shared<state>();
  wait_group g;
  g.go([s, v] {
    lock hold(s->mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    const int before = s->balance;
    weft::sim::point();
    s->balance = before + 5;
    s->paid_in = true;
  });
  g.go([s] {
    const guard hold(s->mu);
    const int before = s->balance;
    weft::sim::point();
    s->balance = before - 3;
    s->taken = true;
  });
  g.go([s] {
    const guard hold(s->mu);
    if (s->paid_in && s->taken) weft::sim::require(s->balance == 12, "the balance is right");
  });
  g.wait();
  weft::sim::require(s->balance == 12, "the balance is right");
}

// Each takes the fork on the left, then that on the right.
template <std::size_t N>
void philosophers(variant v) {
  auto forks = std::make_shared<std::vector<weft::mutex>>(N);
  wait_group g;
  for (std::size_t i = 0; i < N; ++i)
    g.go([forks, i, v] {
      std::size_t first = i, second = (i + 1) % N;
      if (v == variant::repaired && first > second) std::swap(first, second);
      const guard one((*forks)[first]);
      const guard other((*forks)[second]);
    });
  g.wait();
}

// N fibers set a, then b. Another finds one set without the other, if it comes after the first a
// and before each b.
template <int N>
void reorder(variant v) {
  struct state {
    weft::mutex mu;
    int a = 0, b = 0;
  };
  auto s = std::make_shared<state>();
  wait_group g;
  for (int i = 0; i < N; ++i)
    g.go([s, v] {
      lock hold(s->mu, std::defer_lock);
      if (v == variant::repaired) hold.lock();
      weft::sim::point();
      s->a = 1;
      weft::sim::point();
      s->b = -1;
    });
  g.go([s, v] {
    lock hold(s->mu, std::defer_lock);
    if (v == variant::repaired) hold.lock();
    weft::sim::point();
    weft::sim::require((s->a == 0 && s->b == 0) || (s->a == 1 && s->b == -1), "a and b are set together");
  });
  g.wait();
}

// One value under one lock, then one that follows from it under another; readers take the locks in
// the same order.
template <int N>
void two_stage(variant v) {
  struct state {
    weft::mutex first, second;
    int a = 0, b = 0;
  };
  auto s = std::make_shared<state>();
  wait_group g;
  for (int i = 0; i < N; ++i)
    g.go([s, v] {
      lock one(s->first);
      s->a = 1;
      if (v == variant::broken) one.unlock();
      const guard two(s->second);
      s->b = s->a + 1;
    });
  g.go([s, v] {
    lock one(s->first);
    if (s->a == 0) return;
    if (v == variant::broken) one.unlock();
    const guard two(s->second);
    weft::sim::require(s->b == s->a + 1, "the second stage follows the first");
  });
  g.wait();
}

// One fiber uses another lock than all others for the same data.
template <int N>
void wrong_lock(variant v) {
  struct state {
    weft::mutex mu, other;
    int data = 0;
  };
  auto s = std::make_shared<state>();
  wait_group g;
  g.go([s] {
    const guard hold(s->mu);
    const int before = s->data;
    weft::sim::point();
    weft::sim::require(s->data == before, "the data does not change under the lock");
  });
  for (int i = 0; i < N; ++i)
    g.go([s, v] {
      const guard hold(v == variant::repaired ? s->mu : s->other);
      ++s->data;
    });
  g.wait();
}

// An owner and a thief at the two ends of a queue. Each must say what it takes before it reads what
// the other does.
void work_stealing_queue(variant v) {
  struct queue {
    weft::mutex mu;
    int head = 0, tail = 0;
    int taken[3] = {};
    void take(int i) { weft::sim::require(++taken[i] == 1, "an element is taken once"); }
  };
  auto q = std::make_shared<queue>();
  wait_group g;
  for (int i = 0; i < 3; ++i) ++q->tail;
  g.go([q] {  // the owner
    for (int i = 0; i < 3; ++i) {
      const int t = --q->tail;
      weft::sim::point();
      if (q->head <= t) {
        q->take(t);
        continue;
      }
      ++q->tail;
      const guard hold(q->mu);
      if (q->head >= q->tail) return;
      q->take(--q->tail);
    }
  });
  g.go([q, v] {  // the thief
    for (int i = 0; i < 2; ++i) {
      const guard hold(q->mu);
      const int h = q->head;
      if (v == variant::repaired) ++q->head;
      else if (h >= q->tail) continue;
      weft::sim::point();
      if (v == variant::broken) ++q->head;
      else if (h >= q->tail) q->head = h;
      if (v == variant::broken || h < q->tail) q->take(h);
    }
  });
  g.wait();
}

const kernel all[] = {
    {"account", bug::race, account},
    {"philosophers_2", bug::resource, philosophers<2>},
    {"philosophers_3", bug::resource, philosophers<3>},
    {"philosophers_4", bug::resource, philosophers<4>},
    {"philosophers_5", bug::resource, philosophers<5>},
    {"philosophers_6", bug::resource, philosophers<6>},
    {"philosophers_7", bug::resource, philosophers<7>},
    {"reorder_3", bug::order, reorder<2>},
    {"reorder_4", bug::order, reorder<3>},
    {"reorder_5", bug::order, reorder<4>},
    {"reorder_10", bug::order, reorder<9>},
    {"reorder_20", bug::order, reorder<19>},
    {"twostage", bug::order, two_stage<1>},
    {"twostage_100", bug::order, two_stage<99>},
    {"wronglock_1", bug::race, wrong_lock<1>},
    {"wronglock", bug::race, wrong_lock<7>},
    {"work_stealing_queue", bug::race, work_stealing_queue},
};

}  // namespace

std::span<const kernel> sctbench() { return all; }

}  // namespace corpus
