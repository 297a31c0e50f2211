// The waits and choices of a simulated fiber: until a time, until no other fiber can run, between
// values.
#include <fmt/format.h>
#include <weft/errors.h>

#include <functional>

#include "sched/sim/simulation.h"

namespace weft::detail {

// A wait that the clock may end.
struct simulation::timed_wait : timer_node {
  simulation* s = nullptr;
  G* g = nullptr;
  claim_word* word = nullptr;  // null: nothing else ends it

  static std::int64_t over(timer_node* t, std::int64_t, ready_list&) {
    auto* w = static_cast<timed_wait*>(t);
    const bool won = !w->word || w->word->claim(claim_word::timed_out);
    G* g = w->g;
    simulation* s = w->s;
    w->let_go();
    if (won) s->ready(g);
    return never;
  }
  ~timed_wait() { remove_timer(this); }
};

void simulation::park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word,
                            std::int64_t deadline_ns) {
  timed_wait w;
  w.due = deadline_ns;
  w.fire = timed_wait::over;
  w.s = this;
  w.g = current_;
  w.word = &word;
  throw_if_over(current_);
  share_forks(current_);
  timers().add(&w);
  park(reason, commit, arg);
}

void simulation::sleep_until(std::int64_t due_ns) {
  timed_wait w;
  w.due = due_ns;
  w.fire = timed_wait::over;
  w.s = this;
  w.g = current_;
  throw_if_over(current_);
  share_forks(current_);
  timers().add(&w);
  park(wait_reason::sleep, nullptr, nullptr);
}

// The order of timers that are due at the same time: one of them may end a wait that another would
// end too, as two tickers in a select or a tick and the end of a recv_for. Sleeps need no draw:
// they only wake fibers, and which of these runs first is a choice that follows.
void simulation::draw_ties() {
  tied_.clear();
  timers().earliest_together(tied_);
  std::erase_if(tied_, [](timer_node* t) { return t->fire == timed_wait::over && !static_cast<timed_wait*>(t)->word; });
  for (std::size_t i = 0; i + 1 < tied_.size(); ++i) {
    const std::size_t other = i + draw(current_, tied_.size() - i);
    if (other != i && events_) events_->back().text = "fires first another timer that is due now";
    timers().swap_places(tied_[i], tied_[other]);
    std::swap(tied_[i], tied_[other]);
  }
}

void simulation::wait_for_others() {
  sim_fiber* f = current_;
  if (waiting_) throw panic("sim::wait: another fiber is in it");
  throw_if_over(f);
  share_forks(f);
  f->pending = sim_op::wait;
  f->object = nullptr;
  const bool may_run = step(f, sim_op::wait);
  f->state.store(g_state::parked, std::memory_order_relaxed);
  waiting_ = f;
  wait_in_queue(f, may_run);
}

std::uint64_t simulation::value(std::uint64_t n) noexcept {
  sim_fiber* f = current_;
  if (!f || f->unwinds || busy_ || n < 2) return 0;
  return draw(f, n);
}

std::uint64_t simulation::draw(sim_fiber* f, std::uint64_t n) {
  if (!step(f, sim_op::value)) return 0;  // the next operation ends the schedule
  const std::uint64_t v = by_->value(decision_of(f, sim_op::value), n);
  record(f, sim_op::value, n, v);
  if (v != 0) result_.deviations.push_back({f->id, f->decisions, true, v});
  if (v != 0) event_of_value(f, v);
  return v;
}

void simulation::event_of_value(sim_fiber* f, std::uint64_t v) {
  if (!events_) return;
  event(f, sim_op::value, wait_reason::none, 0, true);
  events_->back().object = nullptr;
  events_->back().text = fmt::format("choice {}", v);
}

std::uint64_t simulation::choice(std::uint64_t n) {
  sim_fiber* f = current_;
  if (f->unwinds) return count_unwinding(f), 0;
  const std::uint64_t v = n < 2 ? (own_point(), 0) : draw(f, n);
  if (over_) leave_and_throw(f);
  return v;
}

bool simulation::coin(std::string_view name) {
  sim_fiber* f = current_;
  if (f->unwinds) return count_unwinding(f), false;
  if (!step(f, sim_op::value)) leave_and_throw(f);
  std::uint64_t h = 0xcbf29ce484222325u;  // FNV-1a: the same in every build
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  const bool v = by_->coin(decision_of(f, sim_op::value), h);
  record(f, sim_op::value, 2, v);
  if (v) result_.deviations.push_back({f->id, f->decisions, true, 1});
  if (v) event_of_value(f, 1);
  return v;
}

}  // namespace weft::detail
