// A full fence behind a read-modify-write, at no cost where the read-modify-write is one already.
#pragma once
#include <atomic>

// 0 may be defined from outside, to check what C++ promises and not what this CPU does.
#if !defined(WEFT_RMW_IS_FENCE)
#if defined(__x86_64__)
#define WEFT_RMW_IS_FENCE 1
#else
#define WEFT_RMW_IS_FENCE 0
#endif
#endif

namespace weft::detail {

// Directly behind a seq_cst read-modify-write: both together are a full fence.
//
// Note [rmw-fence]: C++ orders a seq_cst read-modify-write with other seq_cst operations only. A
// later relaxed load may be executed before its store, as on arm64 between `ldaxr` and `stlxr`. A
// read-modify-write of x86 is a full fence, and only the compiler has to keep the order.
inline void fence_after_rmw() noexcept {
#if WEFT_RMW_IS_FENCE
  std::atomic_signal_fence(std::memory_order_seq_cst);  // [rmw-fence]
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [rmw-fence]
#endif
}

}  // namespace weft::detail
