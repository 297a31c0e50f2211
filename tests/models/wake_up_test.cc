// Note [wake-up]: wake.cc, idle.cc, ready.cc, steal.cc, find_runnable.cc and blocking.cc as they
// are.
//
// Fibers push others and then compute without end, so that what they have pushed runs on another P
// or not at all. Time does not pass, except where a scenario lets the timer waiter look.
#include "sched/blocking.h"
#include "sched/ready.h"
#include "sched/ready_list.h"
#include "sched/run_queue.h"
#include "sched/steal.h"
#include "sched/wake.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

enum class push { global, ring, next, fired, hand_off };

class pushes : public modelled_world {
 public:
  using of_fiber = std::vector<push>;
  struct plan {
    std::vector<of_fiber> pushes;  // of the fibers that run at the beginning
    bool pushed_compute = true;    // or they end
    int looks = 0;                 // how often the timer waiter looks before a fiber is stranded
  };
  pushes(shape s, plan p) : modelled_world(std::move(s)), plan_(std::move(p)) {}

  void begin() override { looks_left_ = plan_.looks; }

  void run(M* m, int number) override {
    const auto pushers = static_cast<int>(plan_.pushes.size());
    if (number >= pushers) {
      if (plan_.pushed_compute) compute();
      return;
    }
    int next = models::max_threads;
    for (int i = 0; i < number; ++i) next += static_cast<int>(of(i).size());
    for (const push p : of(number)) queue(m, next++, p);
    compute();
  }

  void check() override {
    models::require(w().spinning.load(std::memory_order_relaxed) == 0, "an M that sleeps is counted as spinning");
    models::require(!waits() || (looks_left_ > 0 && timer_waiter()),
                    "every M sleeps or computes, a P is idle, and a fiber waits");
  }

  bool continues() override {
    if (!waits()) return false;
    --looks_left_;
    for (int i = 0; i < threads(); ++i)
      if (&m(i) == timer_waiter()) time_out(i);
    return true;
  }

 private:
  const of_fiber& of(int fiber) const { return plan_.pushes[static_cast<std::size_t>(fiber)]; }

  const M* timer_waiter() { return w().timer_waiter && w().timer_waiter->is_idle ? w().timer_waiter : nullptr; }

  // A fiber is in a queue, and there is a P and an M for it.
  bool waits() {
    if (w().idle_ps.load(std::memory_order_relaxed) == 0) return false;
    if (w().idle_ms == 0 && w().ms == w().opt.max_threads) return false;
    bool found = any_work_approx(w());
    for (int i = 0; i < w().ps_to_look_at(); ++i) found = found || p(i).queue.peek_next();
    return found;
  }

  void queue(M* m, int number, push how) {
    ready_list list;
    list.push(make(number));
    const runtime_call in(m);
    switch (how) {
      case push::global: push_global_list(w(), list); break;
      case push::ring: push_polled(m, list); break;
      case push::fired: push_fired(m, list, wake_policy::if_worth_it); break;
      case push::next: push_next(m, list.pop()); break;
      case push::hand_off: hand_off_p(w(), detach_p(m)); break;  // and no push
    }
  }

  const plan plan_;
  int looks_left_ = 0;
};

using role = modelled_world::role;
constexpr role runs = role::runs, spins = role::searches, dry = role::dry, none = role::not_made;

// One fiber pushes, while another M spins or is about to release its P.
pushes one(push p, role other, int looks = 0) {
  return {{.ps = 2, .threads = {runs, other, none}}, {.pushes = {{p}}, .looks = looks}};
}
// It pushes two fibers, and there are Ps for both.
pushes two(push p, push q, role other, int looks = 0) {
  return {{.ps = 3, .threads = {runs, other, none, none}}, {.pushes = {{p, q}}, .looks = looks}};
}
// Two fibers push one each.
pushes fibers(push p, push q, int ps, role other, int looks = 0) {
  return {{.ps = ps, .threads = {runs, runs, other, none, none}}, {.pushes = {{p}, {q}}, .looks = looks}};
}

// Two fibers push at the limit of threads, while an M becomes idle.
pushes at_thread_limit(int looks) {
  return {{.ps = 4, .threads = {runs, runs, dry}, .max_threads = 3},
          {.pushes = {{push::ring}, {push::ring}}, .looks = looks}};
}

// I4: a `next` slot is checked by the timer waiter, in two looks.
constexpr int in_time = 3;

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::machine;
using models::operation;
using models::planted;
using weft::detail::push;
using weft::detail::pushes;

namespace {
constexpr models::settings some{.schedules = 10'000};
}  // namespace

TEST_CASE("a fiber in a ring or the global queue is found without any delay", "[models][wake-up][GO-43]") {
  using namespace weft::detail;
  for (const push p : {push::global, push::ring})
    for (const auto other : {spins, dry}) {
      auto s = one(p, other);
      check_right(s, "one push", some);
    }
  auto rings = two(push::ring, push::ring, spins), globals = two(push::global, push::global, spins);
  auto ring_and_global = fibers(push::ring, push::global, 3, dry),
       hand_off = fibers(push::hand_off, push::ring, 2, none);
  check_right(rings, "two pushes to a ring", some);
  check_right(globals, "two pushes to the global queue", some);
  check_right(ring_and_global, "pushes of two fibers", some);
  check_right(hand_off, "a push and a P that is handed off", some);
}

TEST_CASE("a fiber in a `next` slot is found immediately or by the timer waiter", "[models][wake-up][GO-43]") {
  using namespace weft::detail;
  auto next_spins = one(push::next, spins, in_time), next_dry = one(push::next, dry, in_time);
  auto fired = two(push::fired, push::fired, dry, in_time), nexts = fibers(push::next, push::next, 4, spins, in_time);
  auto ring_and_next = fibers(push::ring, push::next, 4, dry, in_time);
  check_right(next_spins, "next, a spinning M", some);
  check_right(next_dry, "next, an M that becomes idle", some);
  check_right(fired, "two timers", some);
  check_right(nexts, "next of two fibers", some);
  check_right(ring_and_next, "a ring and a next slot", some);
}

TEST_CASE("a fiber that another displaces from a `next` slot is found by the timer waiter", "[models][wake-up]") {
  auto displaced = weft::detail::two(push::next, push::next, weft::detail::spins, weft::detail::in_time);
  check_right(displaced, "displaced", some);
}

TEST_CASE("canary: a displaced fiber is stranded unless the timer waiter looks", "[models][wake-up][canary]") {
  // push_next() may read `idle_ps` before the ring's tail is in memory.
  auto displaced = weft::detail::two(push::next, push::next, weft::detail::spins);
  check_found(displaced, "displaced, no look", some);
}

TEST_CASE("at the limit of threads a fiber is found by the timer waiter", "[models][wake-up]") {
  auto limit = weft::detail::at_thread_limit(weft::detail::in_time);
  check_right(limit, "thread limit", some);
}

TEST_CASE("canary: at the limit of threads a fiber is stranded unless the timer waiter looks",
          "[models][wake-up][canary]") {
  // start_m() finds no idle M while one, which has checked the queues, is about to be idle.
  auto limit = weft::detail::at_thread_limit(0);
  check_found(limit, "thread limit, no look", some);
}

TEST_CASE("canary: a push without its fence is stranded", "[models][wake-up][canary]") {
  using namespace weft::detail;
  // An M that becomes idle looks into the global queue once more with the world's lock, so only one
  // that stops to spin because it has found work can miss what is pushed there.
  auto globals = two(push::global, push::global, spins);
  for (const machine on : {machine::language, machine::x86}) {
    auto ring = one(push::ring, dry);
    check_found(ring, "one push", {"no S2 in push_polled", "push_polled", operation::fence, fault::left_out},
                {.on = on});
    check_found(globals, "two pushes to the global queue",
                {"no S2 in push_global_list", "push_global_list", operation::fence, fault::left_out}, {.on = on});
  }
  auto fired = two(push::fired, push::fired, dry);
  check_found(fired, "two timers", {"no S2 in push_fired", "fence_after_rmw", operation::fence, fault::left_out});
  auto next = fibers(push::ring, push::next, 4, spins, in_time);
  check_found(next, "a ring and a next slot", {"relaxed S2", "exchange_next", operation::rmw, fault::relaxed});
  check_found(next, "a ring and a next slot", {"relaxed S3", "wake_for_next", operation::load, fault::relaxed});
}

TEST_CASE("canary: an M that stops searching without its fence strands a push", "[models][wake-up][canary]") {
  using namespace weft::detail;
  const planted no_t2{"no T2 in release_and_look_again", "release_and_look_again", operation::fence, fault::left_out};
  for (const auto other : {spins, dry}) {  // on x86 the read-modify-write before it is a fence
    auto s = one(push::ring, other);
    check_found(s, "one push", no_t2);
  }
  auto with_work = two(push::ring, push::ring, spins);
  check_found(with_work, "two pushes to a ring",
              {"no T2 in stop_spinning_with_work", "fence_after_rmw", operation::fence, fault::left_out});
  auto hand_off = fibers(push::hand_off, push::ring, 2, none);
  check_found(hand_off, "a P that is handed off",
              {"no T2 in hand_off_p", "hand_off_p", operation::fence, fault::left_out});
}

TEST_CASE("canary: an M that stops searching and sees no ring strands a push", "[models][wake-up][canary]") {
  using namespace weft::detail;
  const planted no_t3{"no T3", "ring_size_approx", operation::load, fault::left_out};
  auto idle = one(push::ring, dry), with_work = two(push::ring, push::ring, spins);
  check_found(idle, "one push", no_t3);
  check_found(with_work, "two pushes to a ring", no_t3);
}
