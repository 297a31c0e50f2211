// A world from its first fiber to its last.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <weft/detail/stripe.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "runtime/cpu_count.h"
#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/membarrier.h"
#include "runtime/shadow_stack.h"
#include "runtime/unwind/cfi_rules.h"
#include "runtime/unwind/symbolize.h"
#include "sched/blocking.h"
#include "sched/coarse_clock.h"
#include "sched/current.h"
#include "sched/deadlock.h"
#include "sched/diagnosis/crash.h"
#include "sched/diagnosis/deadlock_verdict.h"
#include "sched/diagnosis/leaks.h"
#include "sched/diagnosis/panic.h"
#include "sched/diagnosis/reporter.h"
#include "sched/diagnosis/schedtrace.h"
#include "sched/diagnosis/sigquit.h"
#include "sched/diagnosis/stack_report.h"
#include "sched/diagnosis/std_mutex_check.h"
#include "sched/diagnosis/suspension.h"
#include "sched/diagnosis_calls.h"
#include "sched/find_runnable.h"
#include "sched/fork.h"
#include "sched/g.h"
#include "sched/invariants.h"
#include "sched/maxprocs.h"
#include "sched/one_world.h"
#include "sched/retake.h"
#include "sched/sim/environment.h"
#include "sched/simulated.h"
#include "sched/solo.h"
#include "sched/spawn.h"
#include "sched/sysmon.h"
#include "sched/threads.h"
#include "sched/wake.h"
#include "sched/world.h"
#include "sched/world_scope.h"

namespace weft::detail {

constinit diagnosis_calls diagnosis;

namespace {

void check(const options& o) {
  if (o.maxprocs < 0 || o.maxprocs > max_procs)
    throw panic(fmt::format("options.maxprocs {} out of range: 0 (default) to {}", o.maxprocs, max_procs));
  if (o.stack_size == 0)
    throw panic(fmt::format("stack size 0 out of range: {} to {} bytes", min_stack_size, max_stack_size));
  check_stack_size(o.stack_size);
  if (o.max_threads < 1) throw panic(fmt::format("options.max_threads {} out of range: at least 1", o.max_threads));
}

std::size_t guard_size(const options& o, const debug_settings& d) {
  const std::size_t size = d.guard_kib > 0 ? static_cast<std::size_t>(d.guard_kib) << 10 : o.guard_size;
  if (size < page_size || size > max_guard_size)
    throw panic(fmt::format("options.guard_size {} out of range: {} to {} bytes", size, page_size, max_guard_size));
  return size;
}

void create_ps(world& w, int procs) {
  for (int i = 0; i < procs; ++i) w.ps[static_cast<std::size_t>(i)].store(make_p(w, i), std::memory_order_relaxed);
  w.procs.store(procs, std::memory_order_relaxed);
  w.ps_made.store(procs, std::memory_order_relaxed);
  w.p_at(0)->queue.set_alone(procs == 1);
  const std::lock_guard hold(w.lock);
  for (int i = procs - 1; i > 0; --i) push_idle_p_locked(w, w.p_at(i));
}

// The main fiber has returned: nothing of this world runs from here on.
void stop(world& w) {
  w.stopping.store(true, std::memory_order_seq_cst);  // [stop] before the Ms that sleep are woken to see it
  for (auto& p : w.ps)
    if (P* at = p.load(std::memory_order_acquire))  // [procs]
      at->attention.fetch_or(stop_world, std::memory_order_relaxed);
  wake_everybody(w);
}

// Takes the Ps of fibers that compute. Such a fiber finds at its next call into weft that it has no
// P, and does not continue. With a P it would skip locks beside other threads, and queue fibers of
// the next world there.
void retake_ps(world& w) {
  const std::lock_guard hold(w.retaking);
  for (auto& slot : w.ps) {
    P* p = slot.load(std::memory_order_acquire);  // [procs]
    M* m = p ? p->holder.load(std::memory_order_acquire) : nullptr;  // [retake]
    if (m) retake_p_locked(w, p, m, p->turn.load(std::memory_order_acquire));  // [retake]
  }
}

// Waits for the other Ms. Ms inside a fiber's own code end at its next call into weft. Waits a
// short time for them. Returns false if some have not ended.
bool wait_for_ms(world& w) {
  constexpr std::int64_t patience_ns = 100'000'000;
  const std::int64_t until = now_ns() + patience_ns;
  for (;;) {
    const std::uint32_t ended = w.ended_ms.load(std::memory_order_acquire);  // [m-end]
    {
      const std::lock_guard hold(w.lock);
      if (w.ms == 0 && static_cast<int>(ended) == w.next_m_id) return true;
    }
    wake_everybody(w);
    if (futex_wait(w.ended_ms, ended, std::min(until, now_ns() + 1'000'000))) continue;
    retake_ps(w);
    if (now_ns() >= until) return false;
  }
}

// Handlers of the process for the running world: panics, crashes, SIGQUIT.
void install_handlers() {
  diagnosis = {deadlock_verdict, suspended_in_region, panic_of, schedtrace_line};
  start_reporter();
  install_panic_handler();
  install_crash_handlers();
  install_sigquit_handler();
}

// Before the world is destroyed: a dump may be under way.
void uninstall_handlers() {
  uninstall_sigquit_handler();
  uninstall_crash_handlers();
  uninstall_panic_handler();
  wait_for_idle_reporter();
}

// Not by the atomics' own functions, which a sanitizer watches: a G that an M has just made, for a
// fiber that still runs, is a plain object to it.
[[gnu::noinline]] WEFT_NO_SANITIZE void abandon(G& g) noexcept {
  g_state s{};
  static_assert(sizeof s == sizeof g.state);
  __atomic_load(reinterpret_cast<const g_state*>(&g.state), &s, __ATOMIC_RELAXED);
  if (s != g_state::free) __atomic_fetch_or(&g.flags, std::uint8_t{abandoned}, __ATOMIC_RELAXED);
}

// The remaining fibers must never run again, even if they are made ready.
void abandon_fibers(const world&) {
  for_each_arena([](stack_arena& a, void*) { a.for_each([](const stack& s) { abandon(*g_of(s)); }); }, nullptr);
}

// The main fiber begins on the thread of run() and is locked to it, until it leaves that for the
// first time. From then on the thread waits for the end of the world: another fiber that computes
// without an end on it, or is blocked in the kernel, would keep run() from returning. The fiber's
// count of locks stays 0, so lock_os_thread() before that works as anywhere.
void begin_main_here(M* m) {
  G* g = m->g;
  set_flag(*g, locked_to_m);
  g->locked_m = m;
  m->locked_g = g;
}

// The main fiber has left the thread of run(), or has ended while it was locked to it. Other
// threads end then; this one cannot, so it releases its P and waits for the end of the world.
void sit_out(M* m) {
  world& w = *m->w;
  P* p = detach_p(m);
  {
    const std::lock_guard hold(w.lock);
    m->waits_for_locked_g = true;
    ++w.locked_ms;
    if (w.most_ms < INT_MAX) ++w.most_ms;  // it does not count as one that runs fibers
  }
  if (p) hand_off_p(w, p);
  while (!w.stopping.load(std::memory_order_acquire))  // [stop] all that the main fiber did
    sleep_m(m, verdict_if_all_asleep(w) == asleep::perhaps ? now_ns() + recheck_ns : never);
}

// Of objects that the next world may use.
void clear_timers(world& w) {
  for (auto& slot : w.ps)
    if (P* p = slot.load(std::memory_order_relaxed)) p->timers.clear();
}

void destroy(world& w) {
  clear_timers(w);
  wait_for_visitors();  // a visitor that has found a timer in a heap has left the heap
  for (auto& slot : w.ps) {
    P* p = slot.load(std::memory_order_relaxed);
    if (!p) continue;
    p->gs.give_back_all();
    p->records.give_back_all();
    delete p;
  }
  delete &w;
}

}  // namespace

// Note [stop]: `stopping` is stored before an M is woken, and an M looks at it under the world's
// lock before it sleeps; wake_everybody() takes that lock after the store. So no M sleeps through
// it.

int run_world(const options& o, std::function<int()> main_fiber) {
  refuse_shadow_stacks();
  watch_forks();
  catch_up_with_fork();
  if (this_m() || sim_self()) throw panic("run: called from inside a fiber");
  if (const char* words = std::getenv("WEFT_SIM"); words && *words) {
    check(o);
    return run_by_words(words, o.stack_size, main_fiber);
  }
  const std::unique_lock alone(one_world(), std::try_to_lock);
  if (!alone) throw panic("run: another world is running in this process");
  check(o);
  const debug_settings debug = debug_settings_now();
  const std::size_t guard = guard_size(o, debug);

  (void)stripe_count();  // from the process's CPUs, before a limit binds threads to some of them
  auto* w = new world;
  w->opt = o;
  pthread_sigmask(SIG_SETMASK, nullptr, &w->signal_mask);
  w->most_ms = o.max_threads;
  w->debug = debug;
  if (w->debug.chaos) check_std_mutexes();
  if (w->debug.stacks) w->marks = std::make_unique<stack_marks>();
  if (w->debug.ancestors > 0) w->ancestors = std::make_unique<ancestry>(w->debug.ancestors);
  w->records_fiber_ends = w->marks || w->ancestors;
  show_runtime_frames(w->debug.traceback_level >= traceback::system);
  w->stacks = &arena_for(o.stack_size, guard);
  w->thread_ended_at = now_ns();
  w->membarrier = membarrier_works();
  const int procs = o.maxprocs > 0 ? o.maxprocs : default_maxprocs();
  w->ever_shared.store(procs > 1, std::memory_order_relaxed);
  create_ps(*w, procs);

  const int old_slack = prctl(PR_GET_TIMERSLACK);
  set_coarse_clock(*w, now_ns());
  install_handlers();
  M* m = add_m(*w);
  m->p = w->p_at(0);
  m->is_first = true;
  set_the_world(w);
  publish_world(*w);
  begin_sysmon(*w);
  begin_m(m);

  int status = 0;
  auto main_body = [&] {
    begin_main_here(m);
    status = main_fiber();
    if (G* g = this_m()->g; g->locals) {  // while the fibers that their destructors wait for still run
      g->locals->end();
      g->locals.reset();
    }
    if (w->debug.chaos) {
      const std::lock_guard hold(w->lock);
      check_world_locked(*w);
    }
    stop(*w);
  };
  // Passed directly and not queued, where an M that has just been started could steal it: it begins
  // here.
  ready_list first;
  spawn_into(first, std::move(main_body), code_address());
  m->handed = first.pop();
  schedule(m);
  if (!w->stopping.load(std::memory_order_relaxed)) sit_out(m);
  unpublish_world();
  end_sysmon();
  end_cpu_limit(*w);
  end_m(m);
  prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(old_slack), 0, 0, 0);
  const bool all_ended = wait_for_ms(*w);
  let_a_panic_finish();
  if (poller* net = w->poller_or_null()) net->end_world(all_ended);
  if (o.report_leaks || w->debug.leaks) report_leaks(*w);
  if (w->marks) report_stack_use(*w);
  abandon_fibers(*w);
  set_the_world(nullptr);
  wait_for_end_of_solo();
  uninstall_handlers();
  if (all_ended) destroy(*w);
  else clear_timers(*w);
  wait_for_ending_threads();  // exit() would destroy what libraries use in destructors of thread-locals
  return status;
}

}  // namespace weft::detail
