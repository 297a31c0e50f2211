#include <weft/timer.h>

#include <fmt/format.h>
#include <weft/go.h>

#include <mutex>

#include "sched/current.h"
#include "sched/ready.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/spawn.h"
#include "sched/timers.h"

namespace weft::detail {

// A timer is a node in a P's heap and either a channel or a function. The channel owns the node, so
// that a dropped time.After leaves nothing behind; a func timer is owned by its timer object, by
// the heap while it is armed, and by the fibers that run it.
struct tick_channel;

struct timer_state : timer_node {
  std::int64_t period = 0;              // ticker; written under `lock`
  spin_lock lock;                       // arming and stopping, one at a time
  std::atomic<std::uint32_t> refs{1};
  tick_channel* ticks = nullptr;        // or:
  std::unique_ptr<callback> f;
  const void* site = nullptr;
};

struct tick_channel final : channel<time_point> {
  timer_state state;

  tick_channel() : channel(1, true) { state.ticks = this; }
  ~tick_channel() override { remove_timer(&state); }

  // Gives the tick to a waiter. Without a waiter keeps it, unless one is kept already. Under the
  // heap's lock.
  void deliver(time_point at, ready_list& list) {
    section hold(lock());
    if (waiter* w = receivers().take()) {
      static_cast<out*>(w->slot)->emplace(at);
      w->ok = true;
      G* g = w->g;
      hold.leave();
      ready_into(list, g);
    } else if (count_.load(std::memory_order_relaxed) == 0) {
      push_locked(at);
    }
  }
  // Drops a tick that has not been received. Returns true if there was one.
  bool drain() {
    section hold(lock());
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    out o;
    pop_locked(o);
    return true;
  }
};

namespace {

std::int64_t fire_tick(timer_node* n, std::int64_t now, ready_list& list) {
  auto* t = static_cast<timer_state*>(n);
  t->ticks->deliver(time_point(duration(t->due)), list);
  if (t->period > 0) {
    const std::int64_t missed = (now - t->due) / t->period;
    return t->due + (missed + 1) * t->period;
  }
  t->let_go();
  return never;
}

void drop(timer_state* t) noexcept {
  if (t->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete t;  // [refs]
}

// A fiber that runs a func timer once.
struct func_run {
  timer_state* t;
  explicit func_run(timer_state* of) noexcept : t(of) {}
  func_run(func_run&& o) noexcept : t(std::exchange(o.t, nullptr)) {}
  ~func_run() {
    if (t) drop(t);
  }
  void operator()() { t->f->call(); }
};

std::int64_t fire_func(timer_node* n, std::int64_t, ready_list& list) {
  auto* t = static_cast<timer_state*>(n);
  spawn_into(list, func_run(t), t->site);  // with the reference that the heap had
  t->let_go();
  return never;
}

void arm(timer_state* t, duration d) {
  t->due = deadline_after(d);
  if (t->f) t->refs.fetch_add(1, std::memory_order_relaxed);
  try {
    arm_timer(t);
  } catch (...) {
    if (t->f) t->refs.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

// Returns true if it was armed.
[[gnu::always_inline]] inline bool disarm(timer_state* t) {
  if (!remove_timer(t)) return false;
  if (t->f) t->refs.fetch_sub(1, std::memory_order_relaxed);  // the caller has another
  return true;
}

// For a timer that was not armed, which one whose schedule has ended never is.
void panic_if_ended(const timer_state* t, const char* use) {
  if (t->schedule != 0 && t->schedule != (static_cast<std::uint32_t>(sim_schedule()) & timer_node::schedule_bits))
    panic_of_ended(use);
}

// A tick that was never taken has not happened: Go's rule since 1.23.
[[gnu::always_inline]] inline bool take_back_tick(timer_state* t) { return t->ticks && t->ticks->drain(); }

[[gnu::noinline]] bool stop_unarmed(timer_state* t) {
  if (take_back_tick(t)) return true;
  panic_if_ended(t, "stop of timer");
  return false;
}

}  // namespace

timer_state* make_tick_timer(duration first, duration period) {
  auto* c = new tick_channel;
  c->state.fire = fire_tick;
  c->state.period = period.count();
  try {
    arm(&c->state, first);
  } catch (...) {
    c->drop_ref();
    throw;
  }
  return &c->state;
}

timer_state* make_func_timer(duration d, std::unique_ptr<callback> f, const void* site) {
  auto t = std::make_unique<timer_state>();
  t->fire = fire_func;
  t->forget = [](timer_node* n) { drop(static_cast<timer_state*>(n)); };
  t->f = std::move(f);
  t->site = site;
  t->refs.store(2, std::memory_order_relaxed);  // the caller's and the heap's
  t->due = deadline_after(d);
  arm_timer(t.get());
  return t.release();
}

void release(timer_state* t) noexcept {
  if (!t->ticks) {
    drop(t);
    return;
  }
  t->lock.lock();
  disarm(t);
  t->lock.unlock();
  take_back_tick(t);
  t->ticks->drop_ref();
}

recv_chan<time_point> channel_of_timer(timer_state* t) {
  if (!t->ticks) return {};
  t->ticks->add_ref();
  return recv_chan<time_point>(t->ticks);
}

bool stop_timer(timer_state* t) {
  t->lock.lock();
  const bool armed = disarm(t);
  t->lock.unlock();
  if (!armed) return stop_unarmed(t);
  take_back_tick(t);
  return true;
}

bool reset_timer(timer_state* t, duration d, duration period) {
  const sim_one_step whole(t);
  // With the spin lock no P is waited for, and the fiber is not left for the end of its world.
  const runtime_call in(this_m(), runtime_call::needs::a_p);
  const std::lock_guard hold(t->lock);
  const bool armed = disarm(t), kept = take_back_tick(t);
  if (!armed && !kept) panic_if_ended(t, "reset of timer");
  t->period = period.count();
  const std::uint32_t made_in = t->schedule;
  arm(t, d);
  if (t->schedule != made_in) t->schedule = made_in & timer_node::schedule_bits;
  return armed || kept;
}

void panic_uninitialized(const char* what) {
  throw panic(fmt::format("{}: called on uninitialized {}", what,
                          std::string_view(what).starts_with("timer") ? "Timer" : "Ticker"));
}

void check_period(const char* what, duration d) {
  if (d.count() <= 0) throw panic(fmt::format("{}: non-positive interval {} ns", what, d.count()));
}

}  // namespace weft::detail

namespace weft {

recv_chan<time_point> after(duration d) {
  // The channel alone keeps the timer: the reference that make_tick_timer gives goes to it.
  detail::timer_state* t = detail::make_tick_timer(d, duration::zero());
  return recv_chan<time_point>(t->ticks);
}

}  // namespace weft
