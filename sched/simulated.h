// Where the runtime meets a simulation (sched/sim/). Each function is called on a branch that only
// a caller without an M takes, and does nothing for one that is no simulated fiber: false, null or
// 0.
#pragma once
#include <weft/detail/fiber.h>

#include <cstddef>
#include <cstdint>

namespace weft::detail {

struct spawn_record;
struct timer_node;

// What a simulation says of the machine: the same on each.
inline constexpr int sim_cpus = 4;

// What a simulated fiber is about to do. The numbers go into replay strings: append only.
enum class sim_op : std::uint8_t {
  none,
  section,
  mutex_lock,
  mutex_unlock,
  wait_group,
  chan,
  select,
  cond,
  semaphore,
  rw_mutex,
  atomic_value,
  peek,
  yield,
  point,
  park,
  end,
  wait,
  value,
  start,
  timers,
  panic
};

// What the runtime asks of the simulation that its caller is a fiber of.
class simulator {
 public:
  // A scheduling point before an operation on `object`.
  virtual void point(sim_op op, const void* object) noexcept = 0;
  virtual G* self() noexcept = 0;
  virtual std::uint64_t schedule() const noexcept = 0;
  virtual std::size_t fibers() const noexcept = 0;
  virtual std::int64_t now() const noexcept = 0;
  virtual void park(wait_reason reason, commit_fn commit, void* arg) = 0;
  virtual void park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word,
                          std::int64_t deadline_ns) = 0;
  virtual void sleep_until(std::int64_t due_ns) = 0;
  virtual void yield() = 0;
  // A choice from 0 to n - 1.
  virtual std::uint64_t value(std::uint64_t n) noexcept = 0;
  virtual void arm(timer_node* t) = 0;
  virtual void* allocate_record(std::size_t size) = 0;
  virtual void submit(spawn_record* r) = 0;
  virtual void ready(G* g) noexcept = 0;
  // While they are held, no operation is a scheduling point. Nests.
  virtual void hold_points(bool held) noexcept = 0;
  // As weft::maxprocs(n): a number that the program can set and that nothing follows.
  virtual int maxprocs(int n) noexcept = 0;
  // Where the running fiber's forks are linked, and whether they may become fibers: not while it is
  // thrown out of its wait.
  virtual m_face* forks() noexcept = 0;
  virtual bool may_fork() noexcept = 0;

 protected:
  ~simulator() = default;
};

// The simulation whose fiber the calling thread runs, or null. Never inlined.
simulator* this_simulator() noexcept;
void set_this_simulator(simulator* s) noexcept;

void sim_point(sim_op op, const void* object) noexcept;
G* sim_self() noexcept;
// The number of the schedule that the calling thread runs a fiber of, from 1 on in a process; 0
// outside.
std::uint64_t sim_schedule() noexcept;
std::size_t sim_fibers() noexcept;
bool sim_park(wait_reason reason, commit_fn commit, void* arg);
bool sim_park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns);
bool sim_sleep_until(std::int64_t due_ns);
bool sim_yield();
bool sim_random(std::uint64_t& v) noexcept;
bool sim_arm_timer(timer_node* t);
// 0 outside a simulation.
int sim_maxprocs(int n) noexcept;
void* sim_allocate_record(std::size_t size);
bool sim_submit(spawn_record* r);
// `g` is a simulated fiber. Ends the process if the caller is not of its simulation.
void sim_ready(G* g) noexcept;

// A scheduling point, and none more until its end: for an operation that holds a spin lock around
// other operations. A fiber that spins would keep the only thread.
class sim_one_step {
 public:
  explicit sim_one_step(const void* object) noexcept;
  sim_one_step(const sim_one_step&) = delete;
  sim_one_step& operator=(const sim_one_step&) = delete;
  ~sim_one_step();

 private:
  simulator* simulator_ = nullptr;
};

// From begin to end, operations without an M ask whether they are simulated. By the thread that
// simulates, while no world runs.
void begin_simulated_paths() noexcept;
void end_simulated_paths() noexcept;

}  // namespace weft::detail
