#include "tests/models/world.h"

#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "runtime/membarrier.h"
#include "runtime/random.h"
#include "sched/cpu_mask.h"
#include "sched/current.h"
#include "sched/diagnosis_calls.h"
#include "sched/find_runnable.h"
#include "sched/invariants.h"
#include "sched/leave.h"
#include "sched/maxprocs.h"
#include "sched/plain_thread.h"
#include "sched/ready.h"
#include "sched/run_fiber.h"
#include "sched/run_queue.h"
#include "sched/take.h"
#include "sched/thread_state.h"
#include "sched/threads.h"
#include "sched/wake.h"

namespace weft::detail {

modelled_world* modelled_world::current = nullptr;

namespace {
std::size_t at(int i) { return static_cast<std::size_t>(i); }
}  // namespace

void modelled_world::before() {
  current = this;
  ended_ = false;
  m_of_thread_ = {};
  sleepers_ = {};
  clock = 1'000'000'000;
  for (int i = 0; i < most_tasks; ++i) {
    tasks_[at(i)].number = i;
    tasks_[at(i)].runs = 0;
    tasks_[at(i)].next = nullptr;
  }
  end_.make(0u);
  world_.make();
  world_->membarrier = shape_.membarrier;
  world_->opt.max_threads = shape_.max_threads;
  world_->ever_shared.store(shape_.ps > 1, std::memory_order_relaxed);
  world_->all_ms.reserve(at(models::max_threads));
  for (int i = 0; i < shape_.ps; ++i) world_->ps[at(i)].store(make_p(*world_, i), std::memory_order_relaxed);
  world_->procs.store(shape_.ps, std::memory_order_relaxed);
  world_->ps_made.store(shape_.ps, std::memory_order_relaxed);
  p(0).queue.set_alone(shape_.ps == 1);
  std::array<bool, most_ps> taken{};
  for (int i = 0; i < threads(); ++i) {
    const role r = shape_.threads[at(i)];
    started_[at(i)].make(0u);
    gs_[at(i)].make().started = true;
    ms_[at(i)].make();
    if (r == role::other || r == role::not_made) continue;
    begin_m(&m(i), r, i);
    taken[at(i)] = true;
  }
  for (int i = shape_.ps - 1; i >= 0; --i)
    if (!taken[at(i)]) push_idle_p_locked(*world_, &p(i));
  set_the_world(&*world_);
  begin();
}

void modelled_world::begin_m(M* m, role r, int number) {
  world& w = *world_;
  m->w = &w;
  m->idle_ps = &w.idle_ps;
  m->id = w.next_m_id++;
  m->tid = m->id;
  ++w.ms;
  w.all_ms.push_back(m);
  m->p = &p(number);
  if (r == role::runs) m->handed = make(number);
  if (r != role::searches) return;
  m->spinning = true;
  w.spinning.fetch_add(1, std::memory_order_relaxed);
}

void modelled_world::thread(int i) {
  const role r = shape_.threads[at(i)];
  for (unsigned n = models::choose(shape_.delay); n > 0; --n) models::yield();
  if (r == role::other) {
    try {
      other(i);
    } catch (const end_of_monitor&) {
    }
    return;
  }
  M* m = &this->m(i);
  if (r == role::not_made) {
    while (started_[at(i)]->load(std::memory_order_acquire) == 0)
      if (!sleep(started_[at(i)]->in_model(), 0, never)) return;
  }
  if (r != role::not_made) before_m(i);
  set_m_of_thread(m);
  acquire_p(m, m->p);
  schedule(m);
}

M* modelled_world::adopt(int i) {
  world& w = *world_;
  M* m = &this->m(i);
  m->w = &w;
  m->idle_ps = &w.idle_ps;
  const std::lock_guard hold(w.lock);
  m->id = w.next_m_id++;
  m->tid = m->id;
  ++w.ms;
  w.all_ms.push_back(m);
  set_m_of_thread(m);
  return m;
}

bool modelled_world::start_thread(P* p) noexcept {
  world& w = *world_;
  {
    const std::lock_guard hold(w.lock);
    if (w.ms >= w.opt.max_threads) return false;
  }
  for (int i = 0; i < threads(); ++i) {
    if (shape_.threads[at(i)] != role::not_made || m(i).w) continue;
    m(i).w = &w;
    m(i).idle_ps = &w.idle_ps;
    {
      const std::lock_guard hold(w.lock);
      m(i).id = w.next_m_id++;
      m(i).tid = m(i).id;
      ++w.ms;
      w.all_ms.push_back(&m(i));
    }
    m(i).p = p;
    m(i).spinning = true;
    started_[at(i)]->store(1, std::memory_order_release);
    models::wake(started_[at(i)]->in_model(), 1);
    return true;
  }
  models::fail("the scenario has too few threads");
}

void modelled_world::execute(M* m, runnable* r) noexcept {
  for (;;) {
    task& t = *static_cast<task*>(r);
    data_of(*m->p).write();
    t.memory.read();
    models::require(++t.runs == 1, "a fiber runs twice");
    m->g = &*gs_[at(models::this_thread())];
    leave_runtime(m);
    run(m, t.number);
    if (!ended_) enter_runtime_with_p(m);
    m->g = nullptr;
    if (ended_) return;
    data_of(*m->p).write();
    if (pick_next_fast(m, r) != fast_pick::got) return;
    if (!can_switch_directly(m, r)) {
      m->handed = r;
      return;
    }
  }
}

task* modelled_world::make(int number) noexcept {
  task& t = fiber(number);
  t.memory.write();
  return &t;
}

void modelled_world::compute() noexcept {
  while (!ended_) sleep(end_->in_model(), 0, never, models::sleep::computing);
}

bool modelled_world::sleep(models::variable& v, std::uint64_t expected, std::int64_t until, models::sleep how) {
  const bool is_monitor = !m_of_thread() && shape_.threads[at(models::this_thread())] == role::other;
  if (ended_ && is_monitor) throw end_of_monitor{};
  if (ended_) return false;
  if (until != never && times_out_at_once()) {
    if (until > clock) clock = until;
    models::yield();
    return false;
  }
  sleeper& s = sleepers_[at(models::this_thread())];
  s = {&v, until, false};
  models::wait_while(v, expected, how);
  const bool timed_out = s.timed_out;
  s = {};
  if (ended_ && is_monitor) throw end_of_monitor{};
  return !timed_out && !ended_;
}

bool modelled_world::time_out(int thread) noexcept {
  sleeper& s = sleepers_[at(thread)];
  if (s.until > clock) clock = s.until;
  s.timed_out = true;
  if (thread == models::this_thread()) return true;
  models::wake(*s.on, 1);
  return false;
}

bool modelled_world::at_rest() {
  if (ended_) return true;
  {
    const std::lock_guard hold(world_->lock);
    check_world_locked(*world_);
  }
  check();
  if (continues()) return true;
  ended_ = true;
  world_->stopping.store(true, std::memory_order_seq_cst);
  for (sleeper& s : sleepers_)
    if (s.on) models::wake(*s.on, models::max_threads);
  return true;
}

void modelled_world::after() {
  end();
  for (int i = 0; i < shape_.ps; ++i) delete &p(i);
  world_.end();
  for (int i = 0; i < threads(); ++i) {
    started_[at(i)].end();
    ms_[at(i)].end();
    gs_[at(i)].end();
  }
  end_.end();
}

// ---- what the scheduler needs ------------------------------------------------------------------

M* this_m() noexcept { return modelled_world::current->m_of_thread(); }
m_face* this_m_face() noexcept { return this_m(); }
void set_this_m(M* m) noexcept { modelled_world::current->set_m_of_thread(m); }

void execute(M* m, runnable* r) { modelled_world::current->execute(m, r); }
bool new_m(world&, P* p, thread_need need) {
  if (modelled_world::current->start_thread(p)) return true;
  models::require(need == thread_need::optional, "a thread that is needed cannot be made");
  return false;
}

// As the real one for a fiber that is locked to m, which runs it again: without its stack.
void leave_without_p(M* m, wait_reason, commit_fn commit) {
  G* g = m->g;
  g->state.store(g_state::runnable, std::memory_order_relaxed);
  m->g = nullptr;
  commit(g, m->w);
  const runnable* r = find_runnable(m);
  models::require(r == g || modelled_world::current->ended(), "a locked fiber's thread gets another fiber");
  m->g = g;
  leave_runtime(m);
}

void queue_unless_stopped(G* g, void* w) {
  if (!static_cast<world*>(w)->stopping.load(std::memory_order_relaxed)) push_global(*static_cast<world*>(w), g);
}

constinit std::atomic<world*> running_world{nullptr};
world* the_world() noexcept { return running_world.load(std::memory_order_acquire); }
void set_the_world(world* w) noexcept { running_world.store(w, std::memory_order_seq_cst); }

bool membarrier_works() noexcept { return modelled_world::current->w().membarrier; }
int threads_of_process() noexcept {
  return modelled_world::current->w().ms + modelled_world::current->foreign_threads();
}
parked_threads parked_plain_threads() noexcept { return {}; }
constinit diagnosis_calls diagnosis{.deadlock = [](world&) { modelled_world::current->deadlock(); }};

bool asleep_in_kernel(long tid) noexcept { return modelled_world::current->asleep_in_kernel(tid); }
std::int64_t thread_cpu_ns(long tid) noexcept { return modelled_world::current->cpu_time(tid); }
int read_affinity(long tid, cpu_mask& into) noexcept {
  into = *modelled_world::current->affinity(tid);
  return 0;
}
int write_affinity(long tid, const cpu_mask& cpus) noexcept {
  *modelled_world::current->affinity(tid) = cpus;
  return 0;
}
int start_detached(void* (*f)(void*), void*) noexcept {
  modelled_world::current->start_monitor(f);
  return 0;
}

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t deadline_ns) {
  return modelled_world::current->sleep(word.in_model(), expected, deadline_ns);
}
void futex_wake(std::atomic<std::uint32_t>& word, int count) noexcept { models::wake(word.in_model(), count); }

void spin_lock::lock_slow() noexcept {
  while (!try_lock()) models::yield();
}

void fence_all_threads() noexcept { models::fence_on_every_thread(); }

namespace {
int modelled_clock(clockid_t, timespec* t) noexcept {
  *t = {.tv_sec = modelled_world::current->clock / 1'000'000'000,
        .tv_nsec = modelled_world::current->clock % 1'000'000'000};
  return 0;
}
}  // namespace
constinit clock_reader read_clock = modelled_clock;

// Thieves begin at any P.
std::uint64_t random_seed() noexcept { return models::running() ? models::choose(1u << 15) : 1; }

void fatal(std::string_view what) noexcept { models::fail(std::string(what).c_str()); }
void give_up(std::string_view what) noexcept { models::fail(std::string(what).c_str()); }
void log_line(std::string_view) noexcept {}

// No time slice ends.
std::uint64_t slice_ticks() noexcept { return UINT64_MAX; }
std::uint64_t timer_ticks() noexcept { return UINT64_MAX; }

}  // namespace weft::detail
