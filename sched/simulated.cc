#include "sched/simulated.h"

#include <weft/detail/in_line.h>

#include <ctime>

#include <iterator>

#include "runtime/clock.h"
#include "runtime/fatal.h"
#include "sched/solo.h"
#include "sched/timers.h"

namespace weft::detail {
namespace {

constinit thread_local simulator* simulator_of_thread __attribute__((tls_model("initial-exec"))) = nullptr;

int simulated_clock(clockid_t id, timespec* t) noexcept {
  simulator* s = this_simulator();
  if (!s) return ::clock_gettime(id, t);
  *t = {.tv_sec = s->now() / 1'000'000'000, .tv_nsec = s->now() % 1'000'000'000};
  return 0;
}

}  // namespace

[[gnu::noinline]] simulator* this_simulator() noexcept { return simulator_of_thread; }
[[gnu::noinline]] void set_this_simulator(simulator* s) noexcept { simulator_of_thread = s; }

void begin_simulated_paths() noexcept {
  in_line.mutex_free = UINT32_MAX;
  in_line.mutex_held = UINT32_MAX;
  in_line.mutex_busy = 0;
  in_line.rw_free = UINT64_MAX;
  in_line.rw_writing = UINT64_MAX;
  in_line.group_done = INT64_MAX;
  in_line.group_waits = INT64_MIN;
  in_line.least = 0;
  in_line.once_done = UINT8_MAX;
  in_line.simulated = true;
  read_clock = simulated_clock;
  begin_simulated_sections();
}

void end_simulated_paths() noexcept {
  end_simulated_sections();
  in_line.mutex_free = 0;
  in_line.mutex_held = mutex_locked_bit;
  in_line.mutex_busy = mutex_locked_bit;
  in_line.rw_free = 0;
  in_line.rw_writing = 1;
  in_line.group_done = wait_group_one;
  in_line.group_waits = wait_group_one;
  in_line.least = 1;
  in_line.once_done = 1;
  in_line.simulated = false;
  read_clock = ::clock_gettime;
}

void sim_point(sim_op op, const void* object) noexcept {
  if (simulator* s = this_simulator()) s->point(op, object);
}

G* sim_self() noexcept {
  simulator* s = this_simulator();
  return s ? s->self() : nullptr;
}

std::uint64_t sim_schedule() noexcept {
  simulator* s = this_simulator();
  return s ? s->schedule() : 0;
}

std::size_t sim_fibers() noexcept {
  simulator* s = this_simulator();
  return s ? s->fibers() : 0;
}

bool sim_park(wait_reason reason, commit_fn commit, void* arg) {
  simulator* s = this_simulator();
  if (!s) return false;
  s->park(reason, commit, arg);
  return true;
}

bool sim_park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns) {
  simulator* s = this_simulator();
  if (!s) return false;
  s->park_until(reason, commit, arg, word, deadline_ns);
  return true;
}

bool sim_sleep_until(std::int64_t due_ns) {
  simulator* s = this_simulator();
  if (!s) return false;
  s->sleep_until(due_ns);
  return true;
}

bool sim_yield() {
  simulator* s = this_simulator();
  if (!s) return false;
  s->yield();
  return true;
}

// A select shuffles its cases by 16 bits a place: all ones keep the order, and zeros bring that
// place to the front. So one small value says which case is tried first.
bool sim_random(std::uint64_t& v) noexcept {
  simulator* s = this_simulator();
  if (!s) return false;
  constexpr std::uint64_t field = 0xffff, keep = ~std::uint64_t{0};
  constexpr std::uint64_t first_tried[] = {keep,   ~(field << 16), ~(field << 32),
                                           ~field, ~(field << 48), ~(field << 16)};
  v = first_tried[s->value(std::size(first_tried))];
  return true;
}

bool sim_arm_timer(timer_node* t) {
  simulator* s = this_simulator();
  if (!s) return false;
  t->schedule = static_cast<std::uint32_t>(s->schedule()) & timer_node::schedule_bits;
  s->arm(t);
  return true;
}

int sim_maxprocs(int n) noexcept {
  simulator* s = this_simulator();
  return s ? s->maxprocs(n) : 0;
}

sim_one_step::sim_one_step(const void* object) noexcept {
  if (!in_line.simulated) [[likely]]
    return;
  simulator_ = this_simulator();
  if (!simulator_) return;
  simulator_->point(sim_op::section, object);
  simulator_->hold_points(true);
}

sim_one_step::~sim_one_step() {
  if (simulator_) simulator_->hold_points(false);
}

void* sim_allocate_record(std::size_t size) {
  simulator* s = this_simulator();
  if (!s) return nullptr;
  return s->allocate_record(size);
}

bool sim_submit(spawn_record* r) {
  simulator* s = this_simulator();
  if (!s) return false;
  s->submit(r);
  return true;
}

void sim_ready(G* g) noexcept {
  simulator* s = this_simulator();
  if (!s) give_up("sim: a fiber of a simulation was woken from outside of it");
  s->ready(g);
}

}  // namespace weft::detail
