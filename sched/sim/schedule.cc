// One schedule: what is chosen at each step, and how it ends.
#include <fmt/format.h>
#include <weft/detail/fork_record.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "runtime/unwind/backtrace.h"
#include "sched/current.h"
#include "sched/sim/describe.h"
#include "sched/sim/simulation.h"

namespace weft::detail {
namespace {

// A limit of points of one fiber while others can run: then it stands behind them, or a loop that
// polls would never end. Not always the same, or a loop that locks could hold its lock each time.
constexpr std::size_t fair_points = 64, fair_points_more = 16;
// A limit of decisions against the fiber that can run for longest: then it runs, or two that wake
// each other would never let a third one stop them.
constexpr std::size_t most_passed_over = 500;
// A limit of timers in a row that wake no fiber. Then tickers without a reader are passed over.
constexpr std::size_t most_idle_fires = 10'000;
// A limit of steps in a row in which every fiber only polls while a timer is armed: then it fires,
// since the fibers may wait for what it starts.
constexpr std::size_t most_polls = 1'000;

// A limit of those while fibers can run: then they run.
constexpr std::size_t most_early_fires = 16;

constexpr std::size_t most_events = 20'000;

constexpr std::uint32_t most_points_of_unwinding = 10'000;

std::uint32_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t z = (a ^ (b * 0x9e3779b97f4a7c15u)) * 0xbf58476d1ce4e5b9u;
  return static_cast<std::uint32_t>(z ^ (z >> 29) ^ (z >> 47));
}

}  // namespace

sim_decision simulation::decision_of(sim_fiber* f, sim_op op) const noexcept {
  return {.fiber = f->id, .number = f->decisions, .step = result_.steps, .op = op, .object = f->object};
}

// Counts a step; false if there are too many.
bool simulation::step(sim_fiber* f, sim_op op) noexcept {
  ++f->decisions;
  polls_ = op == sim_op::yield || op == sim_op::point || op == sim_op::peek ? polls_ + 1 : 0;
  if (++result_.steps <= options_.max_steps) return true;
  set_verdict(sim::verdict::livelock,
              fmt::format("livelock: no end after {} steps; fiber {} runs", options_.max_steps, fiber_name(*f)),
              static_cast<std::uint64_t>(op));
  return false;
}

void simulation::record(sim_fiber* f, sim_op op, std::size_t n, std::uint64_t chosen) {
  const std::uint32_t hash = mix(f->id << 40 | f->decisions << 8 | static_cast<std::uint64_t>(op), n << 32 | chosen);
  result_.trace.push_back({hash, static_cast<std::uint32_t>(f->id), op});
}

sim_fiber* simulation::decide(sim_fiber* f, sim_op op, bool may_stay, bool stays_last) {
  for (;;) {
    if (timer_is_due() || only_polls()) fire_timers();
    candidates_.clear();
    order_.clear();
    sim_fiber* const longest = runnable_.empty() ? nullptr : runnable_.front();
    passed_over_ = longest == longest_ ? passed_over_ + 1 : 0;
    longest_ = longest;
    if (longest && passed_over_ > most_passed_over) {
      order_.push_back(longest);
    } else {
      if (may_stay && !stays_last) order_.push_back(f);
      order_.insert(order_.end(), runnable_.begin(), runnable_.end());
      if (may_stay && stays_last) order_.push_back(f);
    }
    for (const sim_fiber* c : order_) candidates_.push_back({c->id, c->object});
    const bool clock =
        options_.early_timers && !main_returned_ && timers().earliest() != never && idle_fires_ < most_early_fires;
    if (clock) candidates_.push_back({});
    if (order_.empty()) return nullptr;  // timers that woke no fiber
    std::size_t i = 0;
    if (candidates_.size() > 1) {
      sim_decision at = decision_of(f, op);
      at.may_stay = may_stay && !stays_last;
      at.stands_back = may_stay && stays_last;
      i = by_->next_fiber(at, candidates_);
      if (i != 0) result_.deviations.push_back({f->id, f->decisions, false, candidates_[i].fiber});
    }
    record(f, op, candidates_.size(), candidates_[i].fiber);
    if (clock && i + 1 == candidates_.size()) {
      event(f, sim_op::timers, wait_reason::none, 0, true);
      fire_timers();
      ++f->decisions;
      continue;
    }
    sim_fiber* to = order_[i];
    event(f, op, f->reason.load(std::memory_order_relaxed), to == f ? 0 : to->id, i != 0);
    if (to == f && may_stay) return f;
    runnable_.erase(std::find(runnable_.begin(), runnable_.end(), to));
    if (may_stay) {
      f->state.store(g_state::runnable, std::memory_order_relaxed);
      runnable_.push_back(f);
    }
    return to;
  }
}

void simulation::point(sim_op op, const void* object) noexcept {
  sim_fiber* f = current_;
  if (!f || busy_ || points_held_ > 0) return;
  if (f->unwinds) return count_unwinding(f);
  f->pending = op;
  f->object = object;
  if (!step(f, op)) {
    leave_schedule(f);
    return;
  }
  if (runnable_.empty() && !options_.early_timers && !timer_is_due() && !only_polls()) {
    in_a_row_ = 0;
    record(f, op, 1, f->id);
    event(f, op, wait_reason::none, 0, false);
    return;
  }
  busy_ = true;
  const bool for_long = ++in_a_row_ > fair_points + long_runs_ * 5 % fair_points_more;
  if (for_long) ++long_runs_;
  sim_fiber* to = decide(f, op, true, for_long);
  busy_ = false;
  if (to == f) return;
  in_a_row_ = 0;
  switch_from(f, to);
  f->state.store(g_state::running, std::memory_order_relaxed);
}

void simulation::own_point() {
  throw_if_over(current_);
  point(sim_op::point, nullptr);
  throw_if_over(current_);
}

void simulation::yield() {
  sim_fiber* f = current_;
  throw_if_over(f);
  share_forks(f);
  f->pending = sim_op::yield;
  f->object = nullptr;
  if (!step(f, sim_op::yield)) return leave_and_throw(f);
  busy_ = true;
  sim_fiber* to = decide(f, sim_op::yield, true, true);
  busy_ = false;
  in_a_row_ = 0;
  if (to != f) switch_from(f, to);
  f->state.store(g_state::running, std::memory_order_relaxed);
  throw_if_over(f);
}

// Operations of destructors and handlers; a fiber that makes them without an end is left.
void simulation::count_unwinding(sim_fiber* f) noexcept {
  if (++f->points_unwinding > most_points_of_unwinding)
    for (;;) leave_schedule(f);
}

void simulation::throw_if_over(sim_fiber* f) {
  if (!f->unwinds) return;
  count_unwinding(f);
  throw discarded_signal{};
}

void simulation::leave_and_throw(sim_fiber* f) {
  leave_schedule(f);
  throw discarded_signal{};
}

// Before a wait, whose queue may be locked here: no other fiber may run.
// Before f suspends.
void simulation::share_forks(sim_fiber* f) {
  const void* const region = f->forks.no_suspend_site;
  if (region && region != &fork_mark) throw panic("a fiber suspends in a region of weft::no_suspend");
  if (!f->forks.oldest_fork) return;
  ++points_held_;
  share_all_forks(&f->forks);
  --points_held_;
}

void simulation::park(wait_reason reason, commit_fn commit, void* arg) {
  sim_fiber* f = current_;
  throw_if_over(f);
  share_forks(f);
  f->reason.store(reason, std::memory_order_relaxed);
  f->state.store(g_state::parked, std::memory_order_relaxed);
  f->pending = sim_op::park;
  const bool may_run = step(f, sim_op::park);
  f->in_queue = commit != nullptr;
  if (commit) commit(f, arg);
  wait_in_queue(f, may_run);
  f->in_queue = false;
}

// f waits, and its waker can find it.
void simulation::wait_in_queue(sim_fiber* f, bool may_run) {
  sim_fiber* to = may_run ? next(f, sim_op::park) : nullptr;
  if (!to) leave_schedule(f);
  else if (to != f) switch_from(f, to);
  throw_if_over(f);
  f->reason.store(wait_reason::none, std::memory_order_relaxed);
  f->state.store(g_state::running, std::memory_order_relaxed);
}

void simulation::ready(G* g) noexcept {
  // At the end of a schedule a fiber that is left in its wait stays in its queue, and an unlock by
  // another one finds it.
  if (over_ && g->state.load(std::memory_order_relaxed) == g_state::free) return;
  if (g->state.load(std::memory_order_relaxed) != g_state::parked) impossible("made ready", *g);
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  runnable_.push_back(static_cast<sim_fiber*>(g));
  idle_fires_ = polls_ = 0;
  steps_at_last_move_ = result_.steps;
}

sim_fiber* simulation::next(sim_fiber* f, sim_op why) {
  in_a_row_ = 0;
  while (!over_) {
    if (!runnable_.empty() || timer_is_due()) {
      busy_ = true;
      sim_fiber* to = decide(f, why, false, false);
      busy_ = false;
      if (!to) continue;
      return to;
    }
    if (waiting_) {
      ready(std::exchange(waiting_, nullptr));
      continue;
    }
    if (main_returned_ || !fire_timers()) judge_the_end();
  }
  return nullptr;
}

// Every fiber that can run only looks whether something has changed, and only a timer can change
// it.
bool simulation::only_polls() noexcept {
  if (main_returned_ || timers().earliest() == never) return false;
  return polls_ > most_polls || result_.steps - steps_at_last_move_ > options_.max_steps / 2;
}

// The earliest timer's time has come. False if there is none.
bool simulation::fire_timers() {
  std::int64_t due = timers().earliest();
  if (++idle_fires_ > most_idle_fires) due = timers().earliest_once();
  if (due == never) return false;
  if (due > now_ns_) now_ns_ = due;
  polls_ = 0;
  steps_at_last_move_ = result_.steps;
  draw_ties();
  const bool was_busy = std::exchange(busy_, true);
  p_.next_id = next_id_;
  p_.ids_end = UINT64_MAX;
  ready_list started;
  set_this_m(&timer_m_);
  timers().run_due(now_ns_, started);
  set_this_m(nullptr);
  next_id_ = p_.next_id;
  while (runnable* r = started.pop()) {
    runnable_.push_back(new_fiber(static_cast<spawn_record*>(r)));
    idle_fires_ = 0;
  }
  busy_ = was_busy;
  return true;
}

// No fiber can run, and nothing will change that.
void simulation::judge_the_end() {
  if (alive_.empty()) {
    if (main_returned_) over_ = true;
    else set_verdict(sim::verdict::deadlock, "deadlock: no fibers (main called weft::goexit)", 0);
    return;
  }
  const std::string who = describe_waiters(alive_);
  if (main_returned_)
    set_verdict(sim::verdict::leak, "leak: the main fiber has returned, and nothing can wake " + who,
                signature_of_waiters(alive_));
  else set_verdict(sim::verdict::deadlock, "deadlock: all fibers are asleep: " + who, signature_of_waiters(alive_));
}

void simulation::set_verdict(sim::verdict what, std::string message, std::uint64_t signature) {
  if (over_) return;
  over_ = true;
  result_.what = what;
  result_.message = std::move(message);
  result_.signature = signature * 8 + static_cast<std::uint64_t>(what);
}

void simulation::fail(sim::verdict what, std::string message, std::uint64_t signature) {
  throw_if_over(current_);
  set_verdict(what, std::move(message), signature);
  leave_and_throw(current_);
}

namespace {

// Addresses and counters in a message differ from run to run; the panic is the same.
std::string without_numbers(std::string_view text) {
  std::string rest;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hex = text.substr(i).starts_with("0x");
    while (i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) ||
                               (hex && std::isalnum(static_cast<unsigned char>(text[i])))))
      ++i;
    if (i < text.size()) rest += text[i];
  }
  return rest;
}

}  // namespace

void simulation::panicked(sim_fiber* f) {
  if (over_) return;
  const std::string text = describe_exception();
  set_verdict(sim::verdict::panic, fmt::format("panic: {}, in fiber {}", text, fiber_name(*f)),
              std::hash<std::string>()(without_numbers(text)));
  if (!events_) return;
  // Its frames are gone: the place is that of its last operation.
  const auto last =
      std::find_if(events_->rbegin(), events_->rend(), [f](const sim_event& e) { return e.fiber == f->id; });
  sim_event e;
  if (last != events_->rend() && last->op != sim_op::start) e.frames = last->frames;
  e.fiber = f->id;
  e.time = now_ns_ - epoch_ns;
  e.op = sim_op::panic;
  events_->push_back(std::move(e));
}

void simulation::event(sim_fiber* f, sim_op op, wait_reason why, std::uint64_t to, bool forced) {
  if (!events_) return;
  if (events_->size() >= most_events) {  // a livelock: what matters is its end. Starts have the names
    const auto end = events_->begin() + most_events / 2;
    events_->erase(std::remove_if(events_->begin(), end, [](const sim_event& e) { return e.op != sim_op::start; }),
                   end);
  }
  sim_event e;
  e.fiber = f->id;
  e.object = op == sim_op::park || op == sim_op::end ? nullptr : f->object;
  e.time = now_ns_ - epoch_ns;
  e.op = op;
  e.reason = why;
  e.forced = forced;
  e.to = to;
  if (f == current_ && op != sim_op::end) e.frames = own_frames().kept();
  events_->push_back(std::move(e));
}

}  // namespace weft::detail
