// The objects that were made in the schedule that runs.
#include "sched/sim/objects.h"

#include <weft/detail/simulated_object.h>

#include <unordered_set>

#include "sched/simulated.h"

namespace weft::detail {
namespace {

// By the thread that has the session. Never destroyed: exit() may run in a schedule, and destroys
// objects after this.
std::unordered_set<simulated_object*>& list() {
  static auto& all = *new std::unordered_set<simulated_object*>;
  return all;
}

}  // namespace

void simulated_object::join_schedule() noexcept {
  if (!this_simulator()) return;
  list().insert(this);
  listed_ = true;
}

void simulated_object::leave_schedule_slow() noexcept {
  list().erase(this);
  listed_ = false;
}

void mark_simulated_objects() noexcept {
  for (simulated_object* o : list()) {  // in any order: none runs code of the program
    o->listed_ = false;
    o->schedule_has_ended();
  }
  list().clear();
}

}  // namespace weft::detail
