// A world without threads: fibers that one thread runs, one schedule after the other.
//
// To the rest of the runtime a simulated fiber is a plain thread: the calling thread has no M. So
// every operation takes the branch for plain threads, which the paths that are measured never take,
// and there stands the hook. What a plain thread does by the kernel (sleep, wake, read the clock)
// is done here by switching stacks.
//
// Note: scheduling points stand before operations. Between two of them a fiber runs alone.
#pragma once
#include <weft/sim.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sched/g.h"
#include "sched/p.h"
#include "sched/sim/chooser.h"
#include "sched/world.h"

namespace weft::detail {

// A fiber of a simulation. It lies at the top of its own stack.
struct sim_fiber : G {
  std::uint32_t decisions = 0;
  sim_op pending = sim_op::start;
  const void* object = nullptr;
  std::size_t place = 0;  // in simulation::alive_
  bool unwinds = false;  // thrown out of its wait: the schedule has ended
  bool ran = false;  // has begun
  bool in_queue = false;  // waits, and a waker can find it
  bool stays = false;  // unwinds no further than out of its queue
  std::uint32_t points_unwinding = 0;
  m_face forks;  // no M: the list of the branches that it has opened
};

// Thrown in a fiber whose schedule has ended. As goexit, so that what unwinds well for that does so
// for this.
struct discarded_signal : goexit_signal {};

// One step of a schedule, to compare it with the same step of another run.
struct sim_step {
  std::uint32_t hash = 0;  // of all that was chosen
  std::uint32_t fiber = 0;
  sim_op op = sim_op::none;

  bool operator==(const sim_step&) const = default;
};

// What came of one schedule.
struct schedule_result {
  sim::verdict what = sim::verdict::passed;
  std::string message;
  std::uint64_t signature = 0;  // of the failure: equal for the same bug
  std::vector<deviation> deviations;
  std::vector<sim_step> trace;
  std::size_t steps = 0;
  std::size_t missed = 0;  // deviations asked for that could not be made
  std::int64_t ended_at = 0;
};

// What happened, for the story. Kept only in a schedule that is run to be described.
struct sim_event {
  std::uint64_t fiber = 0;
  std::int64_t time = 0;
  sim_op op = sim_op::none;
  const void* object = nullptr;
  wait_reason reason = wait_reason::none;
  bool forced = false;  // another fiber runs than by default
  std::uint64_t to = 0;  // the fiber that runs next; 0: the same
  std::vector<std::uintptr_t> frames;
  std::string text;
};

class simulation final : public simulator {
 public:
  // The clock at the beginning of each schedule: 2000-01-01 00:00 UTC, as Go's.
  static constexpr std::int64_t epoch_ns = 946'684'800'000'000'000;

  explicit simulation(const sim::options& o);
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  schedule_result run_schedule(chooser& by, const std::function<void()>& program,
                               std::vector<sim_event>* events = nullptr);

  // ---- by the running fiber ------------------------------------------------------------
  void point(sim_op op, const void* object) noexcept override;
  void yield() override;
  void park(wait_reason reason, commit_fn commit, void* arg) override;
  void park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns) override;
  void sleep_until(std::int64_t due_ns) override;
  void hold_points(bool held) noexcept override { points_held_ += held ? 1 : -1; }
  int maxprocs(int n) noexcept override { return n > 0 ? std::exchange(procs_, n) : procs_; }
  m_face* forks() noexcept override { return current_ ? &current_->forks : nullptr; }
  bool may_fork() noexcept override { return current_ && !current_->unwinds && current_->thread_locks == 0; }
  void own_point();
  void wait_for_others();
  std::uint64_t value(std::uint64_t n) noexcept override;
  // As value(), for a choice of the program's own.
  std::uint64_t choice(std::uint64_t n);
  bool coin(std::string_view name);
  [[noreturn]] void fail(sim::verdict what, std::string message, std::uint64_t signature);
  G* self() noexcept override { return current_; }
  std::uint64_t schedule() const noexcept override { return schedule_; }
  [[noreturn]] void terminated();
  // In a handler for what ends the caller's wait. Does not return if the caller goes no further.
  void out_of_queue();

  // ---- by the running fiber, or a timer ----------------------------------------------------
  void ready(G* g) noexcept override;
  void arm(timer_node* t) override { timers().add(t); }
  void* allocate_record(std::size_t size) override;
  void submit(spawn_record* r) override;
  std::int64_t now() const noexcept override { return now_ns_; }
  std::size_t fibers() const noexcept override { return alive_.size(); }

 private:
  friend void sim_fiber_entry(switch_header*);
  struct timed_wait;

  void run_from_own_stack(sim_fiber* f);
  void discard_all();
  void run_body(sim_fiber* f);
  [[noreturn]] void end(sim_fiber* f);
  void bury() noexcept;
  void switch_from(sim_fiber* f, sim_fiber* to, bool ends = false);
  void leave_schedule(sim_fiber* f, bool ends = false);
  // After `f` can run no more, or not now: who runs next; null: the schedule has ended.
  sim_fiber* next(sim_fiber* f, sim_op why);
  void wait_in_queue(sim_fiber* f, bool may_run);
  void share_forks(sim_fiber* f);
  void throw_if_over(sim_fiber* f);
  void count_unwinding(sim_fiber* f) noexcept;
  [[noreturn]] void leave_and_throw(sim_fiber* f);
  sim_fiber* decide(sim_fiber* f, sim_op op, bool may_stay, bool stays_last);
  bool fire_timers();
  bool only_polls() noexcept;
  void draw_ties();
  std::uint64_t draw(sim_fiber* f, std::uint64_t n);
  bool timer_is_due() const noexcept { return !main_returned_ && p_.timers.earliest() <= now_ns_; }
  bool step(sim_fiber* f, sim_op op) noexcept;
  void record(sim_fiber* f, sim_op op, std::size_t n, std::uint64_t chosen);
  void event(sim_fiber* f, sim_op op, wait_reason why, std::uint64_t to, bool forced);
  void event_of_value(sim_fiber* f, std::uint64_t v);
  void set_verdict(sim::verdict what, std::string message, std::uint64_t signature);
  void judge_the_end();
  void panicked(sim_fiber* f);
  sim_decision decision_of(sim_fiber* f, sim_op op) const noexcept;
  sim_fiber* new_fiber(spawn_record* r);
  timer_heap& timers() noexcept { return p_.timers; }
  void forget(sim_fiber* f) noexcept;
  void drop(sim_fiber* f);
  bool may_unwind(const sim_fiber& f) const noexcept;

  const sim::options options_;
  world w_;  // of the M below
  P p_{0};
  M timer_m_;  // is the thread's while timers fire
  exception_state* exceptions_ = nullptr;
  stack_context own_stack_;  // of run_schedule()

  // ---- of one schedule
  std::uint64_t schedule_ = 0;
  chooser* by_ = nullptr;
  std::vector<sim_event>* events_ = nullptr;
  schedule_result result_;
  std::vector<sim_fiber*> alive_;
  std::vector<sim_fiber*> runnable_;  // longest first
  std::vector<timer_node*> tied_;
  std::vector<sim_candidate> candidates_;
  std::vector<sim_fiber*> order_;  // the fibers of candidates_
  const std::function<void()>* program_ = nullptr;
  sim_fiber* current_ = nullptr;
  sim_fiber* main_ = nullptr;  // until it has ended
  stack main_stack_;  // after that
  sim_fiber* waiting_ = nullptr;  // in wait()
  sim_fiber* dead_ = nullptr;  // has ended, and is still on its stack
  std::vector<sim_fiber*> dropped_;  // their stacks may still be in queues
  std::uint64_t next_id_ = 1;
  std::size_t started_ = 0;
  std::int64_t now_ns_ = epoch_ns;
  std::size_t in_a_row_ = 0;  // points of the same fiber while others could run
  sim_fiber* longest_ = nullptr;  // the first of runnable_ at the last decision
  std::size_t passed_over_ = 0;  // how often it was not chosen
  std::size_t long_runs_ = 0;  // that have ended for their length
  std::size_t idle_fires_ = 0;  // timers that woke no fiber, in a row
  std::size_t polls_ = 0;  // steps in a row that only look, or let others run
  std::size_t steps_at_last_move_ = 0;  // of the clock, or when a fiber was made ready
  int procs_ = sim_cpus;
  int points_held_ = 0;
  bool main_returned_ = false;
  bool main_called_goexit_ = false;
  bool over_ = false;
  bool busy_ = false;  // in the scheduler: operations are no points
};

// The simulation that the calling thread runs a fiber of, or null.
inline simulation* this_simulation() noexcept { return static_cast<simulation*>(this_simulator()); }
void sim_fiber_entry(switch_header*);

// While one lives, the calling thread runs simulations and no world can begin.
class simulation_session {
 public:
  explicit simulation_session(const sim::options& o);
  ~simulation_session();
  simulation_session(const simulation_session&) = delete;
  simulation_session& operator=(const simulation_session&) = delete;
  simulation& operator*() noexcept { return *sim_; }
  simulation* operator->() noexcept { return sim_.get(); }

 private:
  std::unique_lock<std::mutex> alone_;
  std::unique_ptr<simulation> sim_;
  std::terminate_handler before_ = nullptr;
};

}  // namespace weft::detail
