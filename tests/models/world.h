// A world whose scheduler is weft's own code, under the engine's atomic variables: wake.cc,
// idle.cc, steal.cc, ready.cc and the others that meson.build lists. What is not theirs is here:
// threads, the clock, and fibers without stacks, which a scenario runs as functions.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sched/g.h"
#include "sched/m.h"
#include "sched/p.h"
#include "sched/retake.h"
#include "sched/world.h"
#include "tests/models/engine.h"

namespace weft::detail {

// A fiber. It runs once.
struct task : runnable {
  int number = 0;
  models::data memory;  // written before it is queued, read when it runs
  int runs = 0;
};

// Thrown from the sleep of the monitor, which has no other end.
struct end_of_monitor {};

class modelled_world : public models::scenario {
 public:
  static constexpr int most_ps = 4, most_tasks = 12;
  // What a thread is when a schedule begins.
  enum class role : std::uint8_t {
    runs,      // an M that runs the task with its number, on the P with its number
    searches,  // an M that spins, with the P with its number
    dry,       // an M with the P with its number that has found nothing and does not spin
    not_made,  // no M yet
    other,     // no M: other()
  };
  struct shape {
    int ps = 2;
    std::vector<role> threads;
    bool membarrier = true;
    int max_threads = models::max_threads;
    unsigned delay = 30;  // each thread begins after at most this many yields
  };
  explicit modelled_world(shape s) : shape_(std::move(s)) {}

  // A fiber's own code, on m, which holds a P. m may be without a P when it returns.
  virtual void run(M* m, int number) = 0;
  // The code of a thread that is no M.
  virtual void other(int) {}
  // Nothing happens any more unless time passes: calls models::fail() if that is wrong.
  virtual void check() = 0;
  // After check(): true if the schedule continues, as a thread was made to continue.
  virtual bool continues() { return false; }
  virtual void begin() {}
  virtual void end() {}
  // The caller's sleeps with a deadline end immediately.
  virtual bool times_out_at_once() { return false; }
  // An M that exists at the beginning is about to get its P.
  virtual void before_m(int) {}
  // The verdict is printed: that no fiber can run any more.
  virtual void deadlock() { models::fail("a deadlock is reported"); }
  // The kernel's answers: threads that are not weft's, and for the M with this number whether it
  // sleeps in a system call, its CPU time, and its affinity.
  virtual int foreign_threads() { return 0; }
  virtual bool asleep_in_kernel(long) { return false; }
  virtual std::int64_t cpu_time(long) { return 0; }
  virtual cpu_mask* affinity(long) { models::fail("the scenario has no affinities"); }
  // The monitor's thread is `main`.
  virtual void start_monitor(void* (*)(void*)) {}

  int threads() const final { return static_cast<int>(shape_.threads.size()); }
  void before() final;
  void thread(int i) final;
  bool at_rest() final;
  void after() final;

  // ---- for the code of fibers and checks ------------------------------------------------------
  world& w() noexcept { return *world_; }
  P& p(int i) noexcept { return *world_->p_at(i); }
  M& m(int thread) noexcept { return *ms_[static_cast<std::size_t>(thread)]; }
  task& fiber(int number) noexcept { return tasks_[static_cast<std::size_t>(number)]; }
  // Made, but not queued.
  task* make(int number) noexcept;
  // The calling thread, which is thread i and no M, becomes one without a P.
  M* adopt(int i);
  // Computes until the schedule is at its end.
  void compute() noexcept;
  const std::vector<role>& roles() const noexcept { return shape_.threads; }
  bool ended() const noexcept { return ended_; }
  // The data that belongs to the M with that P.
  models::data& data_of(const P& p) noexcept { return data_of_p_[static_cast<std::size_t>(p.id)]; }
  // When the thread's sleep ends; `never` too if it does not sleep.
  std::int64_t sleeps_until(int thread) const noexcept { return sleepers_[static_cast<std::size_t>(thread)].until; }
  // The sleep of that thread ends, as its time has come. Returns true if that thread is the caller.
  bool time_out(int thread) noexcept;

  // ---- for the functions in world.cc that the scheduler calls ---------------------------------
  static modelled_world* current;
  void execute(M* m, runnable* r) noexcept;
  bool start_thread(P* p) noexcept;
  bool sleep(models::variable& v, std::uint64_t expected, std::int64_t until,
             models::sleep how = models::sleep::in_kernel);
  M* m_of_thread() noexcept { return m_of_thread_[static_cast<std::size_t>(models::this_thread())]; }
  void set_m_of_thread(M* m) noexcept { m_of_thread_[static_cast<std::size_t>(models::this_thread())] = m; }
  std::int64_t clock = 1'000'000'000;

 private:
  struct sleeper {
    models::variable* on = nullptr;
    std::int64_t until = never;
    bool timed_out = false;
  };
  void begin_m(M* m, role r, int number);

  const shape shape_;
  models::per_schedule<world> world_;
  std::array<models::per_schedule<M>, models::max_threads> ms_;
  std::array<models::per_schedule<G>, models::max_threads> gs_;
  std::array<models::per_schedule<std::atomic<std::uint32_t>>, models::max_threads> started_;
  models::per_schedule<std::atomic<std::uint32_t>> end_;
  std::array<M*, models::max_threads> m_of_thread_{};
  std::array<sleeper, models::max_threads> sleepers_{};
  std::array<task, most_tasks> tasks_;
  std::array<models::data, most_ps> data_of_p_;
  bool ended_ = false;
};

}  // namespace weft::detail
