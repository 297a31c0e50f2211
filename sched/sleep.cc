#include <weft/time.h>

#include <ctime>

#include "sched/g.h"
#include "sched/simulated.h"
#include "sched/timers.h"

namespace weft::detail {
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
