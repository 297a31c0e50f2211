// Notes [queue-tail], [queue-head], [next-slot]: sched/run_queue.h and run_queue.cc as they are.
#include "sched/run_queue.h"

#include <array>

#include "tests/models/report.h"

namespace weft::detail {
namespace {

struct element : runnable {
  models::data memory;  // written before it is queued, read by the thread that takes it
  int taken = 0;
};

// Thread 0 owns the first queue. The other threads steal from it, each into its own.
class queues : public models::scenario {
 public:
  explicit queues(int thieves, int elements) : thieves_(thieves), elements_before_(elements) {}
  int threads() const override { return 1 + thieves_; }

  void before() override {
    for (auto& q : queues_) q.make();
    for (element& e : elements_) e.taken = 0;
    made_ = 0;
    for (int i = 0; i < elements_before_; ++i) own().push(make());
  }

  void thread(int i) override {
    if (i == 0) fill_and_empty();
    else steal(i);
  }

  void after() override {
    for (auto& q : queues_) {
      while (runnable* r = q->pop()) take(r);
      if (runnable* r = q->take_next()) take(r);
      q.end();
    }
    for (int i = 0; i < made_; ++i) models::require(elements_[index(i)].taken == 1, "an element is lost");
  }

 protected:
  virtual void fill_and_empty() = 0;
  virtual void steal(int thief) = 0;

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  run_queue& own() { return *queues_[0]; }
  run_queue& of(int thread) { return *queues_[index(thread)]; }

  element* make() {
    element& e = elements_[index(made_++)];
    e.memory.write();
    return &e;
  }

  static void take(runnable* r) {
    models::require(r, "an element is null");
    auto* e = static_cast<element*>(r);
    e->memory.read();
    models::require(++e->taken == 1, "an element is taken twice");
  }

 private:
  const int thieves_, elements_before_;
  std::array<models::per_schedule<run_queue>, 3> queues_;
  std::array<element, run_queue::capacity + 8> elements_;
  int made_ = 0;
};

// Two thieves, one of which steals from the other too.
class short_queue : public queues {
 public:
  explicit short_queue(int elements) : queues(2, elements) {}

 private:
  void push_next(element* e) {
    if (runnable* displaced = own().exchange_next(e)) own().push(displaced);
  }
  void fill_and_empty() override {
    own().push(make());
    push_next(make());
    push_next(make());
    if (runnable* r = own().pop()) take(r);
    own().push(make());
    if (runnable* r = own().take_next()) take(r);
    own().push(make());
    if (runnable* r = own().pop()) take(r);
  }
  void steal(int thief) override {
    for (int i = 0; i < 2; ++i) {
      std::uint32_t n = 0;
      run_queue& from = thief == 2 && i == 1 ? of(1) : own();
      if (runnable* r = from.steal_half(of(thief), n)) take(r);
      if (runnable* r = of(thief).pop()) take(r);
      if (runnable* r = own().peek_next(); r && own().steal_next(r)) take(r);
    }
  }
};

// A full queue: the owner writes slots again that a thief has just emptied.
class full_queue : public queues {
 public:
  full_queue() : queues(1, run_queue::capacity) {}

 private:
  void fill_and_empty() override {
    for (int i = 0; i < 4; ++i) {
      element* e = make();
      while (!own().push(e)) models::yield();
    }
  }
  void steal(int thief) override {
    std::uint32_t n = 0;
    if (runnable* r = own().steal_half(of(thief), n)) take(r);
  }
};

// A full queue from which owner and thief take half at the same time.
class overflow : public queues {
 public:
  overflow() : queues(1, run_queue::capacity) {}

 private:
  void fill_and_empty() override {
    std::uint32_t n = 0;
    for (runnable* r = own().pop_half(n); r; r = r->next) take(r);
    own().push(make());
  }
  void steal(int thief) override {
    std::uint32_t n = 0;
    if (runnable* r = own().steal_half(of(thief), n)) take(r);
  }
};

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::operation;
using weft::detail::full_queue;
using weft::detail::overflow;
using weft::detail::short_queue;

TEST_CASE("no element of a run queue is lost or taken twice", "[models][queue-tail][queue-head][next-slot]") {
  short_queue empty(0), some(3);
  full_queue full;
  overflow half;
  check_right(empty, "empty queue", {.schedules = 20'000, .ordered_reads = true});
  check_right(some, "queue of three", {.schedules = 20'000, .ordered_reads = true});
  check_right(full, "full queue", {.schedules = 1'500, .ordered_reads = true});
  check_right(half, "overflow", {.schedules = 1'500, .ordered_reads = true});
}

TEST_CASE("canary: a tail that does not publish its slots loses elements", "[models][queue-tail][canary]") {
  short_queue empty(0), some(3);
  check_found(empty, "empty queue", {"relaxed tail", "push", operation::store, fault::relaxed});
  check_found(some, "queue of three", {"relaxed tail of the thief", "steal_half", operation::store, fault::relaxed});
  check_found(some, "queue of three", {"relaxed read of the tail", "steal_half", operation::load, fault::relaxed});
}

TEST_CASE("canary: a slot is written before its reader has read it", "[models][queue-head][canary]") {
  full_queue full;
  const models::settings how{.ordered_reads = true};
  check_found(full, "full queue", {"relaxed read of the head", "push", operation::load, fault::relaxed}, how);
  check_found(full, "full queue", {"relaxed theft", "steal_half", operation::rmw, fault::relaxed}, how);
}

TEST_CASE("canary: a `next` slot that does not publish its fiber", "[models][next-slot][canary]") {
  short_queue empty(0);
  check_found(empty, "empty queue", {"relaxed exchange", "exchange_next", operation::rmw, fault::relaxed});
  check_found(empty, "empty queue", {"relaxed theft", "steal_next", operation::rmw, fault::relaxed});
}
