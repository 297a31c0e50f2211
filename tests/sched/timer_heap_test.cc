// A P's heap of timers alone, without a world.
#include "sched/timers.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/scale.h"

using namespace weft::detail;
using weft::testing::scaled;

namespace {

struct bell : timer_node {
  std::vector<std::int64_t>* log = nullptr;
  std::vector<const timer_node*>* order = nullptr;
  std::atomic<int> fired{0};

  void arm(timer_heap& h, std::int64_t at) {
    due = at;
    fire = [](timer_node* t, std::int64_t, ready_list&) -> std::int64_t {
      auto* self = static_cast<bell*>(t);
      if (self->log) self->log->push_back(self->due);
      if (self->order) self->order->push_back(self);
      ++self->fired;
      self->let_go();
      return never;
    };
    h.add(this);
  }
};

}  // namespace

TEST_CASE("timers fire in the order in which they are due", "[sched][timers][TM-08]") {
  timer_heap heap;
  std::mt19937 random(GENERATE(1u, 2u, 3u));
  std::vector<std::int64_t> log, expected;
  std::vector<bell> bells(1000);
  for (bell& a : bells) {
    a.log = &log;
    a.arm(heap, static_cast<std::int64_t>(random() % 500));
    expected.push_back(a.due);
  }
  std::sort(expected.begin(), expected.end());
  CHECK(heap.earliest() == expected.front());
  ready_list none;
  for (std::int64_t now = 0; now < 500; now += 7) {
    heap.run_due(now, none);
    REQUIRE(log.size() == std::size_t(std::upper_bound(expected.begin(), expected.end(), now) - expected.begin()));
  }
  heap.run_due(500, none);
  CHECK(log == expected);
  CHECK(heap.earliest() == never);
}

TEST_CASE("a timer that was taken out does not fire, the others do", "[sched][timers][TM-10]") {
  timer_heap heap;
  std::mt19937 random(5);
  std::vector<bell> bells(1000);
  for (bell& a : bells) a.arm(heap, static_cast<std::int64_t>(random() % 100));
  std::vector<bool> removed(bells.size());
  for (std::size_t i = 0; i < bells.size(); ++i) {
    removed[i] = random() % 3 == 0;
    if (removed[i]) {
      REQUIRE(remove_timer(&bells[i]));
      REQUIRE_FALSE(remove_timer(&bells[i]));
    }
  }
  ready_list none;
  heap.run_due(100, none);
  for (std::size_t i = 0; i < bells.size(); ++i) {
    REQUIRE(bells[i].fired == (removed[i] ? 0 : 1));
    REQUIRE_FALSE(remove_timer(&bells[i]));
  }
}

TEST_CASE("the earliest time follows every change", "[sched][timers][TM-28]") {
  timer_heap heap;
  bell a, b, c;
  CHECK(heap.earliest() == never);
  a.arm(heap, 50);
  CHECK(heap.earliest() == 50);
  b.arm(heap, 20);
  c.arm(heap, 70);
  CHECK(heap.earliest() == 20);
  remove_timer(&b);
  CHECK(heap.earliest() == 50);
  ready_list none;
  heap.run_due(60, none);
  CHECK(heap.earliest() == 70);
  remove_timer(&c);
  CHECK(heap.earliest() == never);
}

TEST_CASE("a heap that ends gives its timers to another", "[sched][timers][GO-43]") {
  timer_heap from, to;
  std::vector<bell> bells(100);
  for (std::size_t i = 0; i < bells.size(); ++i) bells[i].arm(i % 3 ? from : to, std::int64_t(i));
  from.move_to(to);
  CHECK(from.earliest() == never);
  CHECK(to.earliest() == 0);
  REQUIRE(remove_timer(&bells[50]));
  ready_list none;
  to.run_due(100, none);
  for (std::size_t i = 0; i < bells.size(); ++i) CHECK(bells[i].fired == (i == 50 ? 0 : 1));
}

TEST_CASE("stopping and firing race for a timer and one of them gets it", "[sched][timers][TM-10]") {
  timer_heap heap, other;
  constexpr std::size_t n = 64;
  for (int round = 0; round < scaled(2000); ++round) {
    std::vector<std::unique_ptr<bell>> bells;
    for (std::size_t i = 0; i < n; ++i) bells.push_back(std::make_unique<bell>());
    for (std::size_t i = 0; i < n; ++i) bells[i]->arm(heap, std::int64_t(i));
    std::thread firing([&] {
      ready_list none;
      for (std::size_t now = 0; now < n; now += 4) {
        if (now == n / 2) heap.move_to(other);
        heap.run_due(std::int64_t(now), none);
        other.run_due(std::int64_t(now), none);
      }
      heap.run_due(n, none);
      other.run_due(n, none);
    });
    std::size_t stopped = 0, fired = 0;
    std::vector<bool> mine(n);
    for (std::size_t i = n; i-- > 0;) {
      mine[i] = remove_timer(bells[i].get());
      stopped += mine[i] ? 1 : 0;
      // After a stop that was too late the timer has fired: its memory may go.
      if (!mine[i] && bells[i]->fired != 1) FAIL("neither stopped nor fired");
    }
    firing.join();
    for (std::size_t i = 0; i < n; ++i) {
      if (mine[i] && bells[i]->fired != 0) FAIL("stopped and fired");
      fired += std::size_t(bells[i]->fired.load());
    }
    REQUIRE(stopped + fired == n);
  }
}

TEST_CASE("timers of one time that change places fire in the other order and can still be stopped",
          "[sched][timers][BUB-18]") {
  timer_heap heap;
  std::vector<bell> bells(12);
  const auto fire_all = [&](auto change) {
    std::vector<const timer_node*> order;
    for (std::size_t i = 0; i < bells.size(); ++i) {
      bells[i].order = &order;
      bells[i].arm(heap, i < 8 ? 5 : 9);
    }
    change();
    ready_list none;
    heap.run_due(9, none);
    return order;
  };
  std::vector<timer_node*> together;
  const auto before = fire_all([&] { heap.earliest_together(together); });
  REQUIRE(together.size() == 8);
  for (const timer_node* t : together) CHECK(t->due == 5);
  auto after = before;
  std::swap(after[0], after[7]);
  const auto find = [&](const timer_node* t) { return *std::find(together.begin(), together.end(), t); };
  CHECK(fire_all([&] { heap.swap_places(find(before[0]), find(before[7])); }) == after);
  const auto without = fire_all([&] {
    heap.swap_places(find(before[0]), find(before[7]));
    CHECK(remove_timer(find(before[0])));
  });
  CHECK(without.size() == 11);
  CHECK(std::count(without.begin(), without.end(), before[0]) == 0);
}
