#include <weft/time.h>

#include <ctime>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/retake.h"
#include "sched/simulated.h"
#include "sched/timers.h"
#include "sched/visit.h"
#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {

void run_due_timers_everywhere(std::int64_t now, ready_list& ready) {
  world* w = the_world();
  const int made = w->ps_to_look_at();
  for (int i = 0; i < made; ++i) w->p_at(i)->timers.run_due(now, ready);
}

bool arm_timer_if_possible(timer_node* t) {
  M* m = this_m();
  const visit here(m);
  world* w = here.where();
  if (!w) return sim_arm_timer(t);
  const runtime_call in(m);
  P* p = in.p() ? in.p() : w->p_at(0);
  const std::int64_t due = t->due;  // t may fire and be freed as soon as it is added
  const bool first = p->timers.add(t);
  if (in.p() && (!first || p->queue.alone())) return true;
  if (in.p() && !m->g && !m->handed) m->left_timer = true;  // it idles next, or handles it once it has work
  else timer_came_first(*w, due);
  return true;
}

void arm_timer(timer_node* t) {
  if (!arm_timer_if_possible(t)) throw panic("timer: no world is running; start one with weft::run");
}

namespace {

struct sleeper : timer_node {
  G* g = nullptr;
};

std::int64_t wake_sleeper(timer_node* t, std::int64_t, ready_list& ready) {
  G* g = static_cast<sleeper*>(t)->g;
  t->let_go();
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  ready.push(g);
  return never;
}

}  // namespace
}  // namespace weft::detail

namespace weft {

void sleep(duration d) {
  using namespace detail;
  if (d.count() <= 0) return;
  const std::int64_t due = deadline_after(d);
  if (!in_fiber()) {
    if (sim_sleep_until(due)) return;
    const timespec at{.tv_sec = due / 1'000'000'000, .tv_nsec = due % 1'000'000'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {
    }
    return;
  }
  sleeper s;
  s.g = self();
  s.due = due;
  s.fire = wake_sleeper;
  park(
      wait_reason::sleep, [](G*, void* t) { arm_timer(static_cast<sleeper*>(t)); }, &s);
}

}  // namespace weft
