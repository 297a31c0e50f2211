// The calling fiber is inside the runtime and keeps its P for as long as this lives: code that
// touches what belongs to a P does so under one. Nothing within may suspend the fiber or sleep in
// the kernel. In a fiber only; waits for a P if the fiber's has been taken.
#pragma once
#include "sched/current.h"
#include "sched/retake.h"
#include "sched/world.h"

namespace weft::detail {

class on_p {
 public:
  on_p() noexcept : m_(this_m()), inside_(m_, runtime_call::needs::a_p) {}
  on_p(const on_p&) = delete;
  on_p& operator=(const on_p&) = delete;

  P* p() const noexcept { return m_->p; }
  // The calling fiber.
  G* g() const noexcept { return m_->g; }

 private:
  M* m_;
  runtime_call inside_;
};

}  // namespace weft::detail
