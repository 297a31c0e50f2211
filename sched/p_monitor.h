// What the monitor has seen of one world, and its actions.
#pragma once
#include <cstdint>
#include <vector>

#include "sched/world.h"

namespace weft::detail {

class p_monitor {
 public:
  explicit p_monitor(world& w) noexcept;

  // Looks once, and retakes Ps that have not moved. Returns the time until the next look, or
  // `never`.
  std::int64_t look(std::int64_t now);
  // No P was held for a while: the monitor only frees memory and threads, at long intervals or not
  // at all, until an M that gets a P wakes it.
  bool at_rest() const noexcept;
  void woken() noexcept;

  bool any_p_held() const noexcept;

 private:
  enum class standing { moving, busy, asleep };
  struct memory {
    M* m = nullptr;
    std::uint32_t turn = 0;
    std::int64_t since = 0;
    bool slept = false;
  };

  standing look_at(P* p, memory& before, std::int64_t now, bool waits);
  std::int64_t next_look(standing s, bool waits, bool tidy) noexcept;
  void leave_no_timer_alone(std::int64_t now, std::int64_t next);
  void hand_off_what_was_taken();
  bool tidy_up(std::int64_t now);
  void rest_some_stacks();
  void trace(std::int64_t now);

  world& w_;
  const std::int64_t began_;
  std::vector<memory> seen_;  // by P
  std::vector<P*> taken_;
  std::int64_t delay_;
  std::int64_t tidy_at_ = 0, trace_at_;
  std::int64_t computing_delay_ = 0;  // until the next look at the fibers that compute, by the last look
  bool call_taken_ = false;           // the last look has retaken a P from a call
  bool active_ = false;  // at the last look, or since the one before, some P was held
  int quiet_looks_ = 0;  // in a row, not active
  bool tidy_ = true;
  std::size_t unused_gs_ = 0;  // unused at the last count, still to be freed
};

}  // namespace weft::detail
