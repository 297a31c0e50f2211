// OS threads: making one that runs as an M.
#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>

#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/sanitizer.h"
#include "sched/crash.h"
#include "sched/reporter.h"
#include "sched/sysmon.h"
#include "sched/threads.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

void* m_main(void* arg) {
  auto* m = static_cast<M*>(arg);
  pthread_setname_np(pthread_self(), fmt::format("weft-m{}", m->id).c_str());
  begin_m(m);
  schedule(m);
  end_m(m);
  return nullptr;
}

// TSan starts a thread of its own together with the first other one of the process, maybe in an earlier world.
constinit std::atomic<bool> any_started{false};

void create_detached(void* (*f)(void*), void* arg) {
  const int e = start_detached(f, arg);
  if (e != 0) give_up(fmt::format("cannot start an OS thread: {}", std::strerror(e)));
  any_started.store(true, std::memory_order_relaxed);
}

// Threads inherit what their creator has done to itself (a changed root, a namespace, a CPU mask). A
// fiber locked to its thread may do such things, so from the first lock on all Ms are started
// by this thread, which does nothing else.
struct template_thread {
  std::mutex mutex;
  std::condition_variable wanted;
  std::deque<M*> queue;  // under mutex
  std::atomic<bool> running{false};
};

template_thread& the_template() {
  static auto* t = new template_thread;
  return *t;
}

void* template_main(void*) {
  pthread_setname_np(pthread_self(), "weft-template");
  template_thread& t = the_template();
  std::unique_lock hold(t.mutex);
  for (;;) {
    t.wanted.wait(hold, [&] { return !t.queue.empty(); });
    M* m = t.queue.front();
    t.queue.pop_front();
    create_detached(m_main, m);
  }
}

}  // namespace

int start_detached(void* (*f)(void*), void* arg) noexcept {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_t t;
  const int e = pthread_create(&t, &attr, f, arg);
  pthread_attr_destroy(&attr);
  return e;
}

void start_template_thread() {
  template_thread& t = the_template();
  const std::lock_guard hold(t.mutex);
  if (t.running.load(std::memory_order_relaxed)) return;
  create_detached(template_main, nullptr);
  t.running.store(true, std::memory_order_relaxed);
}

namespace {
std::atomic<int> quiet_helpers{0};
std::atomic<std::int64_t> expected_since{0};
}  // namespace

void expect_quiet_helper() noexcept { expected_since.store(now_ns(), std::memory_order_relaxed); }
std::int64_t quiet_helper_expected_since() noexcept { return expected_since.load(std::memory_order_relaxed); }

// Relaxed: whoever reads too little withholds a verdict, and a helper is no longer quiet before it is given work.
void note_quiet_helper(int n) noexcept { quiet_helpers.fetch_add(n, std::memory_order_relaxed); }

int helper_threads() noexcept {
  const bool sanitizers =
      under_tsan && (any_started.load(std::memory_order_relaxed) || reporter_threads() + sysmon_threads() > 0);
  const int helpers = (the_template().running.load(std::memory_order_relaxed) ? 1 : 0) + reporter_threads() +
                      sysmon_threads() + quiet_helpers.load(std::memory_order_relaxed);
  return helpers + (sanitizers ? 1 : 0);
}

void begin_m(M* m) {
  m->tid = syscall(SYS_gettid);
  m->exceptions = exceptions_of_this_thread();
  m->own_stack.sanitizer.adopt_thread();
  prctl(PR_SET_TIMERSLACK, 1UL);  // else the kernel adds 50 us to every sleep
  give_signal_stack(m);
  set_this_m(m);
  if (m->p) acquire_p(m, m->p);
}

void end_m(M* m) {
  world& w = *m->w;
  set_this_m(nullptr);
  take_signal_stack(m);
  P* p = let_go_of_p(m);
  {
    const std::lock_guard hold(w.lock);
    --w.ms;
    w.thread_ended_at = now_ns();
    std::erase(w.all_ms, m);
  }
  if (p && !w.stopping.load(std::memory_order_relaxed)) hand_off_p(w, p);
  {
    const std::lock_guard hold(w.retaking);  // the monitor may be looking at m
    delete m;
  }
  // [m-end] everything this thread did before run() takes the world apart
  w.ended_ms.fetch_add(1, std::memory_order_release);
  futex_wake(w.ended_ms, 1);
}

// Note [m-end]: run() acquires the count of ended Ms until all are; each released it last of all.

M* add_m(world& w) {
  auto m = std::make_unique<M>();
  m->w = &w;
  const std::lock_guard hold(w.lock);
  if (w.ms >= w.opt.max_threads) return nullptr;
  ++w.ms;
  m->id = w.next_m_id++;
  w.all_ms.push_back(m.get());
  return m.release();
}

void new_m(world& w, P* p) {
  M* m = add_m(w);
  if (!m) {
    log_line(fmt::format("program exceeds {}-thread limit", w.opt.max_threads));
    give_up("thread exhaustion");
  }
  m->p = p;
  m->spinning = true;
  template_thread& t = the_template();
  if (t.running.load(std::memory_order_relaxed)) {
    const std::lock_guard hold(t.mutex);
    t.queue.push_back(m);
    t.wanted.notify_one();
  } else {
    create_detached(m_main, m);
  }
}

}  // namespace weft::detail
