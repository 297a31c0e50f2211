// An object that no schedule of a simulation may use except the schedule in which it was made: a
// channel.
//
// A schedule lists what is made in it, and at its end marks each object that still lives. So an
// object that was made outside a simulation pays one branch when it is made and one when it is
// destroyed, and an operation pays nothing: it finds the mark where it looks for the end of the
// object's use. Refused: the number of the schedule in each object, which each operation would
// have to compare.
#pragma once
#include <weft/detail/in_line.h>

namespace weft::detail {

class simulated_object {
 public:
  simulated_object(const simulated_object&) = delete;
  simulated_object& operator=(const simulated_object&) = delete;

  // Takes the object off the list: it may be used in any schedule and outside.
  void leave_schedule() noexcept {
    if (listed_) [[unlikely]]
      leave_schedule_slow();
  }

 protected:
  simulated_object() noexcept {
    if (in_line.simulated) [[unlikely]]
      join_schedule();
  }
  virtual ~simulated_object() { leave_schedule(); }

  // Marks the object. Runs no code of the program. The fibers of the schedule, and what they had on
  // their stacks, are gone.
  virtual void schedule_has_ended() noexcept = 0;

 private:
  friend void mark_simulated_objects() noexcept;
  void join_schedule() noexcept;
  void leave_schedule_slow() noexcept;

  bool listed_ = false;  // by the thread that simulates
};

}  // namespace weft::detail
