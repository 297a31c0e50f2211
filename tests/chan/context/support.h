// What the tests of contexts share.
#pragma once
#include <atomic>

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

}  // namespace weft::testing
