// OS threads: making one that runs as an M.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <vector>

#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/sanitizer.h"
#include "sched/blocking.h"
#include "sched/current.h"
#include "sched/find_runnable.h"
#include "sched/signal_stack.h"
#include "sched/sysmon.h"
#include "sched/threads.h"
#include "sched/wake.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

void* m_main(void* arg) {
  auto* m = static_cast<M*>(arg);
  // The thread that has started this one may block signals: one of weft's own, which wakes a fiber.
  pthread_sigmask(SIG_SETMASK, &m->w->signal_mask, nullptr);
  pthread_setname_np(pthread_self(), fmt::format("weft-m{}", m->id).c_str());
  begin_m(m);
  schedule(m);
  end_m(m);
  return nullptr;
}

// TSan starts its own thread together with the first other thread of the process, maybe in an
// earlier world.
constinit std::atomic<bool> any_started{false};

// False if the system makes no thread, and none is needed.
bool create_detached(void* (*f)(void*), void* arg, thread_need need) {
  const int e = start_detached(f, arg);
  if (e != 0 && need == thread_need::optional) return false;
  if (e != 0) give_up(fmt::format("cannot start an OS thread: {}", std::strerror(e)));
  any_started.store(true, std::memory_order_relaxed);
  return true;
}

// Threads inherit what their creator has changed for itself (a root directory, a namespace, a CPU
// mask). A fiber locked to its thread may make such changes, so after the first lock_os_thread()
// this thread starts all Ms. It has no other work.
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
    create_detached(m_main, m, thread_need::certain);
  }
}

// The threads of ended Ms. Destructors of thread-local variables run after end_m(). The threads are
// detached, so that a process may exit without a join.
struct ending_thread {
  pid_t tid;
  std::int64_t until;  // in ns: a number may belong to another thread of the process later

  bool may_run() const { return now_ns() < until && syscall(SYS_tgkill, getpid(), tid, 0) == 0; }
};
struct ending_threads {
  std::mutex mutex;
  std::vector<ending_thread> all;  // under mutex
};

ending_threads& the_ending_threads() {
  static auto* t = new ending_threads;
  return *t;
}

// The calling thread ends.
void list_ending_thread(pid_t tid) {
  constexpr std::int64_t patience_ns = 10'000'000'000;
  ending_threads& t = the_ending_threads();
  const std::lock_guard hold(t.mutex);
  if (t.all.size() >= 64) std::erase_if(t.all, [](const ending_thread& e) { return !e.may_run(); });
  try {
    t.all.push_back({tid, now_ns() + patience_ns});
  } catch (const std::bad_alloc&) {  // run() does not wait for it
  }
}

}  // namespace

void wait_for_ending_threads() {
  std::vector<ending_thread> all;
  {
    ending_threads& t = the_ending_threads();
    const std::lock_guard hold(t.mutex);
    all.swap(t.all);
  }
  const auto self = static_cast<pid_t>(syscall(SYS_gettid));
  for (const ending_thread& e : all)
    while (e.tid != self && e.may_run()) usleep(20);
}

int start_detached(void* (*f)(void*), void* arg) noexcept {
  const own_affinity not_the_limit;  // a new thread inherits it
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
  create_detached(template_main, nullptr, thread_need::certain);
  t.running.store(true, std::memory_order_relaxed);
}

namespace {
std::atomic<int> quiet_helpers{0};
std::atomic<std::int64_t> expected_since{0};
}  // namespace

void renew_threads_after_fork() {
  ::new (static_cast<void*>(&the_template())) template_thread;
  ::new (static_cast<void*>(&the_ending_threads())) ending_threads;
  quiet_helpers.store(0, std::memory_order_relaxed);
  expected_since.store(0, std::memory_order_relaxed);
}

void expect_quiet_helper() noexcept { expected_since.store(now_ns(), std::memory_order_relaxed); }
std::int64_t quiet_helper_expected_since() noexcept { return expected_since.load(std::memory_order_relaxed); }

// Relaxed: a reader that sees too small a number withholds a verdict, and a helper stops being
// quiet before it gets work.
void note_quiet_helper(int n) noexcept { quiet_helpers.fetch_add(n, std::memory_order_relaxed); }

namespace {
constinit std::atomic<pid_t> reporter_owner{0};  // the process that the reporter thread is in
}  // namespace

void reporter_started() noexcept { reporter_owner.store(getpid(), std::memory_order_relaxed); }
int reporter_threads() noexcept { return reporter_owner.load(std::memory_order_relaxed) == getpid() ? 1 : 0; }

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
  list_ending_thread(static_cast<pid_t>(m->tid));
  set_this_m(nullptr);
  take_signal_stack(m);
  P* p = detach_p(m);
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
  m->idle_ps = &w.idle_ps;
  const std::lock_guard hold(w.lock);
  if (w.ms >= w.most_ms) return nullptr;
  ++w.ms;
  m->id = w.next_m_id++;
  w.all_ms.push_back(m.get());
  return m.release();
}

namespace {

// m has no thread, and no other thread has a pointer to it but in the world's list.
void remove_m(world& w, M* m) {
  {
    const std::lock_guard hold(w.lock);
    std::erase(w.all_ms, m);
    --w.ms;
  }
  w.ended_ms.fetch_add(1, std::memory_order_release);  // [m-end] counted, as its number is used
  delete m;
}

}  // namespace

bool new_m(world& w, P* p, thread_need need) {
  M* m = add_m(w);
  if (!m) {
    if (need == thread_need::optional) return false;
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
    return true;
  }
  if (create_detached(m_main, m, need)) return true;
  remove_m(w, m);
  return false;
}

}  // namespace weft::detail
