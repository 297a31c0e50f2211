// Note [post]: post_is_vacant() and ensure_timer waiter() of wake.cc, and p_monitor.cc, as they
// are.
//
// A timer is armed. An M that spins finds a fiber that computes, while the monitor looks.
#include <algorithm>

#include "sched/p_monitor.h"
#include "sched/ready.h"
#include "sched/ready_list.h"
#include "sched/timers.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

constexpr std::int64_t us = 1'000;

struct fiber_timer : timer_node {
  task* fiber = nullptr;
};

std::int64_t make_ready(timer_node* t, std::int64_t, ready_list& ready) {
  ready.push(static_cast<fiber_timer*>(t)->fiber);
  t->let_go();
  return never;
}

enum class armed { on_an_idle_p, by_a_fiber };

class timer_post : public modelled_world {
 public:
  explicit timer_post(armed how)
      : modelled_world({.ps = 3, .threads = {role::runs, role::searches, role::other, role::not_made, role::not_made}}),
        how_(how) {}

  void begin() override {
    w().debug.limit = false;  // cpu_limit.cc
    looks_ = 0;
    w().monitor_looks_at.store(clock, std::memory_order_relaxed);  // the look that is under way
    end_of_sleep_.make(0u);
    fiber_timer& t = timer_.make();
    t.fiber = make(fired);
    t.fire = make_ready;
    t.due = clock + 600 * us;  // and the next look is in 1 ms
    if (how_ == armed::on_an_idle_p) p(2).timers.add(&t);
  }

  void run(M* m, int number) override {
    if (number == 0) {
      if (how_ == armed::by_a_fiber) arm_timer(timer_.get());
      ready_list list;
      list.push(make(found));
      const runtime_call in(m);
      push_polled(m, list);
    }
    compute();
  }

  void other(int) override {
    p_monitor watch(w());
    while (!ended()) {
      ++looks_;
      sleep(end_of_sleep_->in_model(), 0, clock + watch.look(clock));
    }
  }

  // The monitor wakes in time. It takes a P that it sees for the first time for one that serves its
  // timers, so a timer of a fiber that computes may wait for its second look.
  void check() override {
    if (fiber(fired).runs == 1 || wakes_in_time()) return;
    models::require(how_ == armed::by_a_fiber && looks_ < 3, "a timer is armed, and no thread wakes in time for it");
  }
  bool continues() override {
    if (how_ == armed::on_an_idle_p || fiber(fired).runs == 1 || looks_ >= 3) return false;
    return time_out(monitor), true;
  }
  void end() override { end_of_sleep_.end(); }

 private:
  static constexpr int monitor = 2, found = 6, fired = 7;

  bool wakes_in_time() {
    std::int64_t first = sleeps_until(monitor);
    for (int i = 0; i < threads(); ++i)
      if (&m(i) == w().timer_waiter && w().timer_waiter->is_idle) first = std::min(first, sleeps_until(i));
    return first <= timer_->due;
  }

  const armed how_;
  int looks_ = 0;
  models::per_schedule<fiber_timer> timer_;
  models::per_schedule<std::atomic<std::uint32_t>> end_of_sleep_;
};

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::operation;
using models::planted;
using weft::detail::armed;
using weft::detail::timer_post;

TEST_CASE("a thread wakes for each timer, whether an M or the monitor", "[models][post]") {
  timer_post idle(armed::on_an_idle_p), computes(armed::by_a_fiber);
  check_right(idle, "post, a timer of an idle P", {.schedules = 15'000});
  check_right(computes, "post, a timer of a fiber that computes", {.schedules = 10'000});
}

TEST_CASE("canary: an M and the monitor leave a timer to each other", "[models][post][canary]") {
  timer_post s(armed::on_an_idle_p);
  const planted all[] = {
      {"relaxed X1", "leave_no_timer_alone", operation::store, fault::relaxed},
      {"relaxed X2", "ensure_timer_waiter", operation::load, fault::relaxed},
  };
  for (const planted& bug : all) check_found(s, "post", bug);
}
