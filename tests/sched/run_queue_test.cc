// The run queue alone, without a world: its order, its steals, and races of its owner with thieves.
#include "sched/run_queue.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/scale.h"

using namespace weft::detail;
using weft::testing::scaled;

namespace {

using queue_ptr = std::unique_ptr<run_queue>;

queue_ptr make_queue(bool alone) {
  auto q = std::make_unique<run_queue>();
  q->set_alone(alone);
  return q;
}

// The real queue's ring without one of its two checks, for the canaries.
enum class careless { owner_pops_unchecked, thief_takes_unchecked };
template <careless what>
class careless_queue {
 public:
  bool push(runnable* r) {
    std::uint32_t t = tail_.load();
    if (t - head_.load() == run_queue::capacity) return false;  // more than full is broken, and no reason to wait
    slots_[t % run_queue::capacity].store(r);
    tail_.store(t + 1);
    return true;
  }
  runnable* pop() {
    for (;;) {
      std::uint32_t h = head_.load();
      if (h == tail_.load()) return nullptr;
      runnable* r = slots_[h % run_queue::capacity].load();
      if (move_head(h, 1, what == careless::owner_pops_unchecked)) return r;
    }
  }
  runnable* pop_half(std::uint32_t& n) {
    n = 0;
    return nullptr;
  }
  runnable* steal_half(careless_queue& mine, std::uint32_t& taken) {
    for (;;) {
      std::uint32_t h = head_.load(), n = tail_.load() - h;
      n -= n / 2;
      taken = 0;
      if (n == 0) return nullptr;
      if (n > run_queue::capacity / 2) return nullptr;  // or what it broke would keep it here without end
      std::uint32_t t = mine.tail_.load();
      for (std::uint32_t i = 0; i < n; ++i)
        mine.slots_[(t + i) % run_queue::capacity].store(slots_[(h + i) % run_queue::capacity].load());
      if (!move_head(h, n, what == careless::thief_takes_unchecked)) continue;
      taken = n;
      mine.tail_.store(t + n - 1);
      return mine.slots_[(t + n - 1) % run_queue::capacity].load();
    }
  }
  runnable* exchange_next(runnable* r) { return next_.exchange(r); }
  runnable* take_next() { return next_.exchange(nullptr); }
  runnable* peek_next() { return next_.load(); }
  bool steal_next(runnable* seen) { return next_.compare_exchange_strong(seen, nullptr); }

 private:
  bool move_head(std::uint32_t h, std::uint32_t n, bool unchecked) {
    if (!unchecked) return head_.compare_exchange_strong(h, h + n);
    // Occasionally the other side gets the CPU, of which there may be only one, just here.
    static thread_local int moves = 0;
    if (moves++ % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(1));
    head_.store(h + n);
    return true;
  }
  std::atomic<std::uint32_t> head_{0}, tail_{0};
  std::atomic<runnable*> next_{nullptr};
  std::array<std::atomic<runnable*>, run_queue::capacity> slots_{};
};

// An owner that pushes and pops `items` at random against `thieves`; how many of them were not
// taken exactly once.
template <class Queue>
std::size_t hammer(std::size_t items, int thieves, unsigned seed) {
  struct item : runnable {
    std::atomic<int> taken{0};
  };
  std::vector<item> all(items);
  auto take = [](runnable* r) { static_cast<item*>(r)->taken.fetch_add(1, std::memory_order_relaxed); };
  Queue owned;
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < thieves; ++i) {
    threads.emplace_back([&] {
      auto mine = std::make_unique<Queue>();
      while (!over) {
        std::uint32_t n = 0;
        if (runnable* r = owned.steal_half(*mine, n)) take(r);
        for (std::uint32_t k = 0; k < 2 * run_queue::capacity; ++k) {
          runnable* r = mine->pop();
          if (!r) break;
          take(r);
        }
        if (runnable* seen = owned.peek_next(); seen && owned.steal_next(seen)) take(seen);
      }
    });
  }
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < items; ++i) {
    runnable* r = &all[i];
    if (random() % 4 == 0) r = owned.exchange_next(r);
    while (r && !owned.push(r)) {
      std::uint32_t n = 0;
      runnable* half = owned.pop_half(n);
      while (half) take(std::exchange(half, half->next));
    }
    if (random() % 8 == 0)
      if (runnable* next = owned.take_next()) take(next);
    for (unsigned k = random() % 4; k > 1; --k)
      if (runnable* popped = owned.pop()) take(popped);
  }
  for (std::size_t k = 0; k < items; ++k) {  // bounded: a careless ring may never seem empty
    runnable* r = owned.pop();
    if (!r) break;
    take(r);
  }
  if (runnable* r = owned.take_next()) take(r);
  over = true;
  for (std::thread& t : threads) t.join();
  std::size_t wrong = 0;
  for (const item& i : all) wrong += i.taken == 1 ? 0 : 1;
  return wrong;
}

template <class Queue>
bool hammering_notices() {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (unsigned seed = 0; std::chrono::steady_clock::now() < deadline; ++seed)
    if (hammer<Queue>(20'000, 2, seed) > 0) return true;
  return false;
}

}  // namespace

TEST_CASE("what is pushed is popped in the same order", "[sched][run_queue][GO-17]") {
  auto q = make_queue(GENERATE(true, false));
  std::vector<runnable> r(run_queue::capacity);
  for (std::size_t n = 0; n <= run_queue::capacity; ++n) {
    REQUIRE(q->empty_approx());
    REQUIRE(q->pop() == nullptr);
    for (std::size_t i = 0; i < n; ++i) REQUIRE(q->push(&r[i]));
    REQUIRE(q->ring_size_approx() == n);
    for (std::size_t i = 0; i < n; ++i) REQUIRE(q->pop() == &r[i]);
    REQUIRE(q->pop() == nullptr);
  }
}

TEST_CASE("a full queue refuses another and keeps what it has", "[sched][run_queue][GO-17]") {
  auto q = make_queue(GENERATE(true, false));
  std::vector<runnable> r(run_queue::capacity + 1);
  for (std::size_t i = 0; i < run_queue::capacity; ++i) REQUIRE(q->push(&r[i]));
  CHECK_FALSE(q->push(&r[run_queue::capacity]));
  for (std::size_t i = 0; i < run_queue::capacity; ++i) REQUIRE(q->pop() == &r[i]);
}

TEST_CASE("the next slot holds one and hands back what it displaces", "[sched][run_queue][GO-47]") {
  auto q = make_queue(GENERATE(true, false));
  runnable a, b;
  CHECK(q->exchange_next(&a) == nullptr);
  CHECK_FALSE(q->empty_approx());
  CHECK(q->exchange_next(&b) == &a);
  CHECK(q->peek_next() == &b);
  CHECK(q->take_next() == &b);
  CHECK(q->take_next() == nullptr);
  CHECK(q->empty_approx());
}

TEST_CASE("the next slot is stolen only if it still holds what the thief saw", "[sched][run_queue]") {
  auto q = make_queue(false);
  runnable a, b;
  q->exchange_next(&a);
  CHECK_FALSE(q->steal_next(&b));
  CHECK(q->peek_next() == &a);
  CHECK(q->steal_next(&a));
  CHECK_FALSE(q->steal_next(&a));
}

TEST_CASE("an overflow takes the older half as a list in order", "[sched][run_queue]") {
  auto q = make_queue(GENERATE(true, false));
  std::vector<runnable> r(run_queue::capacity);
  for (runnable& x : r) REQUIRE(q->push(&x));
  std::uint32_t n = 0;
  runnable* list = q->pop_half(n);
  REQUIRE(n == run_queue::capacity / 2);
  for (std::size_t i = 0; i < n; ++i, list = list->next) REQUIRE(list == &r[i]);
  CHECK(list == nullptr);
  for (std::size_t i = n; i < run_queue::capacity; ++i) REQUIRE(q->pop() == &r[i]);
}

TEST_CASE("a steal takes half, rounded up, and none is lost or doubled", "[sched][run_queue][GO-18]") {
  auto victim = make_queue(false), thief = make_queue(false);
  std::vector<runnable> r(run_queue::capacity);
  for (std::size_t n = 0; n <= run_queue::capacity; ++n) {
    for (std::size_t i = 0; i < n; ++i) REQUIRE(victim->push(&r[i]));
    std::uint32_t taken = 0;
    std::vector<int> seen(n, 0);
    auto see = [&](runnable* x) { ++seen[static_cast<std::size_t>(x - r.data())]; };
    std::uint32_t got = 0;
    if (runnable* x = thief->pop()) see(x), ++got;  // empty before
    REQUIRE(got == 0);
    if (runnable* x = victim->steal_half(*thief, taken)) see(x), ++got;
    while (runnable* x = thief->pop()) see(x), ++got;
    REQUIRE(taken == n - n / 2);
    REQUIRE(got == taken);
    while (runnable* x = victim->pop()) see(x);
    for (int s : seen) REQUIRE(s == 1);
  }
}

TEST_CASE("the indices may run past 2^32", "[.][slow][sched][run_queue][GO-17]") {
  if (weft::testing::sanitized) return;
  auto q = make_queue(true);
  runnable a;
  for (std::uint64_t i = 0; i < (1ull << 32) + 1000; ++i) {
    q->push(&a);
    if (q->pop() != &a) FAIL("lost at " << i);
  }
}

TEST_CASE("an owner and its thieves take every item exactly once", "[sched][run_queue][GO-18]") {
  int thieves = GENERATE(1, 2, 4);
  for (unsigned seed = 0; seed < 5; ++seed)
    REQUIRE(hammer<run_queue>(static_cast<std::size_t>(scaled(200'000)), thieves, seed) == 0);
}

TEST_CASE("canary: an owner that pops without looking is noticed", "[sched][run_queue][canary]") {
  CHECK(hammering_notices<careless_queue<careless::owner_pops_unchecked>>());
}

TEST_CASE("canary: a thief that takes without looking is noticed", "[sched][run_queue][canary]") {
  CHECK(hammering_notices<careless_queue<careless::thief_takes_unchecked>>());
}
