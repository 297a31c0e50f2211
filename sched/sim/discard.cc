// The fibers that remain at the end of a schedule.
//
// Each is thrown out of its wait, youngest first, so that what its frames own goes back: a hundred
// thousand failing schedules need no more memory than one. A fiber that outlives the main fiber may
// hold references to what that had on its stack, and to touch that would be an error that the
// program, outside a simulation, does not have: such a fiber stays as it is, and so does one that
// waits in a destructor, where nothing may be thrown. What their frames own is lost; their stacks
// are used again. So it leaves the queue that it waits in, which may be that of a channel or a lock
// that was made outside: it is thrown out of its wait too, and goes no further than to the handler
// there.
#include <cxxabi.h>

#include <cstring>
#include <exception>
#include <utility>

#include "runtime/unwind/cfi_rules.h"
#include "sched/sim/describe.h"
#include "sched/sim/simulation.h"
#include "sched/sim/stacks.h"

namespace weft::detail {
namespace {

// True if a word between `from` and `to` is an address inside `target`.
[[gnu::noinline]] WEFT_NO_SANITIZE bool refers_to(const stack& target, const std::byte* from,
                                                  const std::byte* to) noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(target.bottom),
             high = reinterpret_cast<std::uintptr_t>(target.top());
  auto at = (reinterpret_cast<std::uintptr_t>(from) + 7) & ~std::uintptr_t{7};
  for (; at + sizeof(std::uintptr_t) <= reinterpret_cast<std::uintptr_t>(to); at += sizeof(std::uintptr_t)) {
    const std::uintptr_t v = *reinterpret_cast<const volatile std::uintptr_t*>(at);
    if (v >= low && v < high) return true;
  }
  return false;
}

}  // namespace

bool simulation::may_unwind(const sim_fiber& f) const noexcept {
  if (main_) return true;  // all that it may refer to is there
  if (!f.ran || !f.record || f.record->size_class == record_pool::from_heap) return false;
  const auto sp = reinterpret_cast<std::uintptr_t>(f.context.at.sp);
  const bool on_own_stack =
      sp >= reinterpret_cast<std::uintptr_t>(f.where.bottom) && sp < reinterpret_cast<std::uintptr_t>(f.where.top());
  if (!on_own_stack) return false;  // in with_stack(): the frames are in two places
  const std::size_t sizes[] = {64, 128, 256, 512};
  const auto* closure = reinterpret_cast<const std::byte*>(f.record);
  return !refers_to(main_stack_, static_cast<const std::byte*>(f.context.at.sp), f.stack_top) &&
         !refers_to(main_stack_, closure, closure + sizes[f.record->size_class]);
}

// Nothing in it runs any more.
void simulation::drop(sim_fiber* f) {
  forget(f);
  f->locals.release();
  f->context.sanitizer.close();
  dropped_.push_back(f);
}

void simulation::discard_all() {
  over_ = true;
  const auto youngest = [this] {
    sim_fiber* last = alive_.front();
    for (sim_fiber* f : alive_)
      if (f->id > last->id) last = f;
    return last;
  };
  while (!alive_.empty()) {
    sim_fiber* f = youngest();
    if (f->unwinds) {  // it has left again without an end
      drop(f);
      continue;
    }
    f->unwinds = true;
    f->stays = !may_unwind(*f);
    if (!f->stays || f->in_queue) run_from_own_stack(f);
  }
  runnable_.clear();
  waiting_ = main_ = nullptr;
  for (sim_fiber* f : dropped_) give_sim_stack(f);
  dropped_.clear();
}

void leave_ended_wait() {
  if (simulation* s = this_simulation()) s->out_of_queue();
  throw;
}

void simulation::out_of_queue() {
  if (!current_->stays) return;
  abi::__cxa_end_catch();  // the handler is not left otherwise
  for (;;) leave_schedule(current_);
}

// std::terminate in a fiber. The schedule ends, and the fiber goes no further.
void simulation::terminated() {
  sim_fiber* f = current_;
  if (!f->unwinds) panicked(f);
  f->unwinds = true;  // discard_all() drops it
  for (;;) leave_schedule(f);
}

}  // namespace weft::detail
