// Whether an M still holds its P: checked at each call from a fiber's code into the runtime.
#pragma once
#include "sched/world.h"

namespace weft::detail {

// The state of the monitor's claim on an M's P.
enum class claim_on_p : std::uint8_t { none, asked, taken };

// Out of line: m is in doubt. Settles it; m->p is null afterwards if the P was retaken.
void settle_in_runtime(M* m) noexcept;

// m enters the runtime from a fiber's code. From here on its P is not retaken. m->p is null if it
// was retaken before.
[[gnu::always_inline]] inline void enter_runtime(M* m) noexcept {
  m->in_runtime.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // [retake] R2: marked, then checked
  if (m->in_doubt.load(std::memory_order_relaxed)) [[unlikely]]
    settle_in_runtime(m);
}
// m returns to a fiber's code.
[[gnu::always_inline]] inline void leave_runtime(M* m) noexcept {
  m->in_runtime.store(false, std::memory_order_release);  // [retake] R4: our writes to the P before the mark is cleared
}

// As enter_runtime(), but returns with a P, in the same thread; blocks until it has one. Fiber code
// only.
void enter_runtime_with_p(M* m) noexcept;

// The calling fiber has a P when this returns. If its world has ended, this does not return.
void settle_fiber() noexcept;

// For a call that returns without parking: inside the runtime until the end of the scope. Nests.
class runtime_call {
 public:
  enum class needs { nothing, a_p };  // a_p: as enter_runtime_with_p(), unless the caller is the runtime

  explicit runtime_call(M* m, needs what = needs::nothing) noexcept
      : m_(m), outer_(m && m->in_runtime.load(std::memory_order_relaxed)) {
    if (!m || outer_) return;
    enter_runtime(m);
    if (what == needs::a_p && !m->p) [[unlikely]]
      enter_runtime_with_p(m);
  }
  runtime_call(const runtime_call&) = delete;
  runtime_call& operator=(const runtime_call&) = delete;
  ~runtime_call() {
    if (m_ && !outer_) leave_runtime(m_);
  }
  // The caller's P, or null.
  P* p() const noexcept { return m_ ? m_->p : nullptr; }

 private:
  M* m_;
  bool outer_;
};

// The monitor retakes p from `m`, which has held it in turn `turn`, if m runs a fiber's own code.
// The P has no M then. With world::retaking held.
bool retake_p_locked(world& w, P* p, M* m, std::uint32_t turn) noexcept;
// m does not leave the runtime for long enough to be found outside: it releases its P itself, if it
// is still in this turn at its next call.
void mark_overdue(M* m, std::uint32_t turn) noexcept;

}  // namespace weft::detail
