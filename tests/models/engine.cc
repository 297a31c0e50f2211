#include "tests/models/engine.h"

#include <chrono>
#include <cstring>

#include "tests/models/schedule.h"

namespace models {

// ---- sleeping --------------------------------------------------------------------------------

namespace {

bool everything_rests() {
  commit_everything();
  relacy().rl_global_fence();
  note_event("", "everything rests");
  now.checks = true;
  const bool goes_on = now.of->at_rest();
  now.checks = false;
  return goes_on;
}

}  // namespace

void wait_while(variable& v, std::uint64_t expected, sleep how) {
  step();
  if (how == sleep::in_kernel) full_fence();
  const history& h = history_of(v);
  if (h.newest != expected) return;
  if (now.awake == 1 && (everything_rests() || h.newest != expected)) return;
  note_event("", "sleeps on", v.history, expected);
  --now.awake;
  ++now.asleep;
  relacy().threadx_->atomic_wait(h.order, false, false, place(""));
  note_event("", "is awake");
}

void wake(variable& v, int count) noexcept {
  step();
  full_fence();
  const int woken = relacy().threadx_->atomic_wake(history_of(v).order, count, place(""));
  now.awake += woken;
  now.asleep -= woken;
  note_event("", "wakes on", v.history, static_cast<std::uint64_t>(woken));
}

// ---- what a scenario uses
// ------------------------------------------------------------------------

bool running() noexcept { return now.runs; }
int this_thread() noexcept { return relacy().threadx_->index_; }
unsigned choose(unsigned n) noexcept { return relacy().rand(n, rl::sched_type_user); }

void fail(const char* what) noexcept {
  std::strncpy(now.failure.data(), what, now.failure.size() - 1);
  relacy().fail_test(what, rl::test_result_user_assert_failed, place(""));
  __builtin_unreachable();
}

void data::access(bool writes) noexcept {
  rl::context& c = relacy();
  if (schedule_ != now.number) {
    if (now.data_used == now.data.size()) fail("the engine has no room for more data");
    schedule_ = now.number;
    index_ = static_cast<std::uint32_t>(now.data_used++);
    now.data[index_] = c.var_ctor();
  }
  rl::var_data& d = *now.data[index_];
  note_event("", writes ? "writes data" : "reads data", index_);
  if (!(writes ? d.store(*c.threadx_) : d.load(*c.threadx_))) fail("two threads use the same data without order");
}

// ---- Relacy's allocation
// ---------------------------------------------------------------------------

namespace {

// Relacy defines these inline. A program needs all of them or none.
[[gnu::used]] void* (*const for_whole_program[])(std::size_t) = {&::operator new, &::operator new[] };
[[gnu::used]] void (*const for_whole_program_too[])(void*) = {&::operator delete, &::operator delete[] };

// While it is not 0 they use malloc() and free(), as outside of a schedule.
struct plain_allocation : rl::context {
  static int& of(rl::context& c) { return c.*(&plain_allocation::disable_alloc_); }
};

// ---- schedules
// -------------------------------------------------------------------------------------

struct program : rl::test_suite<program, max_threads> {
  void before() {
    ++plain_allocation::of(relacy());
    ++now.number;
    now.variables_used = now.data_used = 1;
    for (thread_state& t : now.threads) {
      t.in_relacy = relacy().threadx_;  // the only thread until it has made everything
      t.buffer.clear();
      t.late = {};
      t.reads.clear();
      t.fenced_at = 0;
    }
    now.awake = max_threads;
    now.asleep = 0;
    now.planted_reached = 0;
    now.checks = false;
    now.events = 0;
    now.delayed = 0;
    now.delays_stores = false;
    now.run_length = 1;
    now.runs = true;
    now.of->before();
    constexpr std::array<unsigned, 4> lengths{1, 2, 6, 20};
    now.run_length = lengths[choose(lengths.size())];
    now.delays_stores = choose(2) == 0;
  }
  void thread(unsigned i) {
    now.threads[i].in_relacy = relacy().threadx_;
    if (static_cast<int>(i) < now.of->threads()) now.of->thread(static_cast<int>(i));
    fence(std::memory_order_seq_cst, "");
    if (--now.awake == 0 && now.asleep > 0) everything_rests();
  }
  void after() {
    now.run_length = 1;
    now.delays_stores = false;
    now.of->after();
    now.runs = false;
    for (std::size_t i = 1; i < now.variables_used; ++i) relacy().atomic_dtor(now.variables[i].order);
    for (std::size_t i = 1; i < now.data_used; ++i) relacy().var_dtor(now.data[i]);
    --plain_allocation::of(relacy());
  }
};

rl::test_result_e run(rl::test_params& p, rl::ostringstream& state, bool again) {
  const auto result = rl::run_test<program, rl::random_scheduler<max_threads>>(p, state, again);
  now.runs = false;
  return result;
}

}  // namespace

outcome explore(scenario& s, const settings& how) {
  rl::ostringstream text, state, ignored;
  rl::test_params p;
  p.iteration_count = how.schedules;
  p.output_stream = p.progress_stream = &text;
  p.execution_depth_limit = static_cast<unsigned>(how.steps);
  now.of = &s;
  now.how = how;
  now.steps = 0;
  now.ever_reached = false;
  now.failure = {};

  const auto began = std::chrono::steady_clock::now();
  const rl::test_result_e result = run(p, state, false);
  outcome o;
  o.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  o.schedules = p.stop_iteration;
  o.steps = now.steps / o.schedules;
  o.reached = now.ever_reached;
  if (result == rl::test_result_success) return o;
  o.failure = now.failure[0] ? now.failure.data() : rl::test_result_str(result);
  text.str({});
  p.initial_state = state.str();
  p.collect_history = true;
  run(p, ignored, true);
  o.story = text.str().c_str();
  return o;
}

}  // namespace models
