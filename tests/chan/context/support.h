// What the tests of contexts share.
#pragma once
#include <atomic>
#include <memory>

#include "chan/context/cancel_node.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

namespace weft::testing {

inline bool is_closed(const recv_chan<void>& done) { return select(recv(done), otherwise) == 0; }

// Done for that reason, in every way in which one can ask.
inline bool is_over(const context& ctx, errc why) { return is_closed(ctx.done()) && ctx.err() == why; }
inline bool is_live(const context& ctx) { return !is_closed(ctx.done()) && !ctx.err() && ctx.cause().empty(); }

// Takes a little while, without a call into weft.
inline void dither(int n) {
  for (int i = 0; i < n; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Whether a race that is run for the i-th time is to be run on: n times, and until both ends have
// been seen. Where the cores are busy one of them may be rare.
inline bool goes_on(int i, int n, int one_end, int other_end) {
  return i < n || (i < 100 * n && (one_end == 0 || other_end == 0));
}

// Two fibers that do a() and b() at the same moment, as far as there are cores for that, with `i`
// shifting one against the other; on one P in either order. To be joined with all.wait().
template <class A, class B>
void race(wait_group& all, int i, A a, B b) {
  auto here = std::make_shared<std::atomic<int>>(0);
  const int patience = maxprocs() > 1 ? 3000 : 0;
  const auto meet = [here, i, patience](int ahead) {
    ++*here;
    for (int k = 0; k < patience && *here < 2; ++k) detail::cpu_relax();
    dither((i / 2 % 2 == ahead) ? i / 4 % 64 * 4 : 0);
  };
  const auto run_a = [meet, a] { meet(0), a(); };
  const auto run_b = [meet, b] { meet(1), b(); };
  if (i % 2) all.go(run_a);
  all.go(run_b);
  if (i % 2 == 0) all.go(run_a);
}

}  // namespace weft::testing
