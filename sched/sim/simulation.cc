// Fibers of a simulation: their stacks, their life, and the switches between them.
#include "sched/sim/simulation.h"

#include <atomic>
#include <utility>

#include "runtime/switch.h"
#include "sched/run_fiber.h"
#include "sched/sim/objects.h"
#include "sched/sim/stacks.h"

namespace weft::detail {
namespace {

// Each branch that a simulated fiber opens gets a fiber: another P might have taken it.
constinit const std::atomic<int> always_idle{1};

}  // namespace

simulation::simulation(const sim::options& o) : options_(o) {
  timer_m_.p = &p_;
  timer_m_.w = &w_;
  p_.queue.set_alone(true);
}

simulation::~simulation() { p_.records.give_back_all(); }

schedule_result simulation::run_schedule(chooser& by, const std::function<void()>& program,
                                         std::vector<sim_event>* events) {
  static std::uint64_t schedules = 0;  // in this process
  schedule_ = ++schedules;
  by_ = &by;
  events_ = events;
  program_ = &program;
  result_ = {};
  runnable_.clear();
  next_id_ = 1;
  started_ = 0;
  now_ns_ = epoch_ns;
  longest_ = nullptr;
  in_a_row_ = passed_over_ = long_runs_ = idle_fires_ = polls_ = steps_at_last_move_ = 0;
  procs_ = sim_cpus;
  points_held_ = 0;
  main_returned_ = main_called_goexit_ = over_ = busy_ = false;
  waiting_ = dead_ = nullptr;
  exceptions_ = exceptions_of_this_thread();
  own_stack_.sanitizer.adopt_thread();

  main_ = new_fiber(nullptr);
  runnable_.clear();
  run_from_own_stack(main_);
  discard_all();
  p_.timers.clear();
  mark_simulated_objects();
  result_.ended_at = now_ns_;
  return std::move(result_);
}

// From run_schedule(): runs fibers until one of them leaves the schedule.
void simulation::run_from_own_stack(sim_fiber* f) {
  current_ = f;
  set_this_simulator(this);
  switch_header note{};
  f->ran = true;
  jump(own_stack_, f->context, exceptions_, &note);
  set_this_simulator(nullptr);
  current_ = nullptr;
  bury();
}

void simulation::switch_from(sim_fiber* f, sim_fiber* to, bool ends) {
  switch_header note{};
  current_ = to;
  to->ran = true;
  jump(f->context, to->context, exceptions_, &note, ends);
  bury();
}

void simulation::leave_schedule(sim_fiber* f, bool ends) {
  switch_header note{};
  jump(f->context, own_stack_, exceptions_, &note, ends);
  bury();
}

// The fiber that has ended is off its stack now.
void simulation::bury() noexcept {
  if (!dead_) return;
  dead_->context.sanitizer.close();
  give_sim_stack(dead_);
  dead_ = nullptr;
}

void sim_fiber_entry(switch_header*) {
  entered_new_stack();
  simulation* s = this_simulation();
  s->bury();
  sim_fiber* f = s->current_;
  s->run_body(f);
  s->end(f);
}

sim_fiber* simulation::new_fiber(spawn_record* r) {
  const spawn_extras* extras = extras_of(r);
  sim_fiber* f = take_sim_stack(extras ? extras->stack_size : 0);
  std::byte* low = f->where.bottom;
  const auto usable = static_cast<std::size_t>(f->stack_top - low);
  unpoison(low, usable);
  f->context.caught = nullptr;
  f->context.uncaught = 0;
  f->context.sanitizer.open(low, usable);
  prepare<sim_fiber_entry>(f->context.at, f->stack_top, usable);
  f->record = r;
  f->id = r ? r->id : next_id_++;
  f->site = r ? r->site : nullptr;
  f->thread_locks = 0;
  f->waits_on = nullptr;
  f->reason.store(wait_reason::none, std::memory_order_relaxed);
  f->state.store(g_state::runnable, std::memory_order_relaxed);
  f->decisions = 0;
  f->pending = sim_op::start;
  f->object = nullptr;
  f->unwinds = f->ran = f->in_queue = f->stays = false;
  f->points_unwinding = 0;
  f->forks.newest_fork = f->forks.oldest_fork = nullptr;
  f->forks.no_suspend_site = nullptr;
  f->forks.idle_ps = &always_idle;
  f->place = alive_.size();
  alive_.push_back(f);
  ++started_;
  by_->started(f->id);
  if (events_) {
    sim_event e;
    e.fiber = f->id;
    e.time = now_ns_ - epoch_ns;
    e.op = sim_op::start;
    if (extras) e.text = extras->name;
    if (f->site) e.frames = {reinterpret_cast<std::uintptr_t>(f->site) - 1};  // inside the go statement
    events_->push_back(std::move(e));
  }
  return f;
}

void* simulation::allocate_record(std::size_t size) {
  const std::uint16_t c = record_pool::class_of(size);
  return c == record_pool::from_heap ? ::operator new(size) : p_.records.take(c);
}

void simulation::submit(spawn_record* r) {
  r->id = next_id_++;
  runnable_.push_back(new_fiber(r));
}

void simulation::run_body(sim_fiber* f) {
  f->state.store(g_state::running, std::memory_order_relaxed);
  try {
    struct end_locals {
      sim_fiber* f;
      ~end_locals() {
        if (f->locals) {
          f->locals->end();
          f->locals.reset();
        }
      }
    } at_end{f};
    if (f == main_) (*program_)();
    else f->record->invoke(f->record);
  } catch (const goexit_signal&) {
    if (f == main_ && !f->unwinds) main_called_goexit_ = true;
  } catch (...) {
    panicked(f);
  }
}

void simulation::forget(sim_fiber* f) noexcept {
  alive_.back()->place = f->place;
  std::swap(alive_[f->place], alive_.back());
  alive_.pop_back();
  if (f->record) free_record(&p_, f->record);
  f->record = nullptr;
  f->state.store(g_state::free, std::memory_order_relaxed);
}

void simulation::end(sim_fiber* f) {
  forget(f);
  if (f == main_) {
    main_returned_ = !main_called_goexit_;
    main_stack_ = f->where;
    main_ = nullptr;
    if (main_returned_ && !options_.leaks) over_ = true;
  }
  ++f->decisions;
  sim_fiber* to = next(f, sim_op::end);
  dead_ = f;
  if (to) switch_from(f, to, true);
  else leave_schedule(f, true);
  __builtin_unreachable();
}

}  // namespace weft::detail
