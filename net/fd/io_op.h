// One operation that a fiber waits for, from its start to its completion. On the fiber's stack.
//
// An operation under way belongs to the poller, and its buffer to the kernel, until it is
// completed. So a fiber whose wait ends before that (deadline, context, close) has the operation
// cancelled and still waits for the completion: it never returns while the kernel may write to its
// stack.
//
// The wait thus has two parts. In the first, the completion, a timer, a closer or a context wakes
// the fiber; the first to claim the operation's word does. In the second, which comes only if that
// was not the completion, the completion wakes it. From the word the completion reads in which part
// the fiber is, and the fiber, which may not have parked yet, reads that the operation is done.
//
// Note [op]: the fiber releases the operation when it starts it, and the completion acquires that
// before it reads; the completion's last touch is its exchange, which releases the result; the
// fiber acquires it.
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>

#include "sched/ready_list.h"

namespace weft::detail {

// Why a wait has ended, or that it has not.
enum class wait_result : std::uint8_t { none, completed, timeout, closed, context };
constexpr std::uint32_t to_word(wait_result r) noexcept { return static_cast<std::uint32_t>(r); }

// Open, as claim_word calls it, while the fiber waits in the first part.
class op_word : public claim_word {
 public:
  wait_result result() const noexcept { return static_cast<wait_result>(decided()); }  // [op]
  bool done() const noexcept { return decided() == by_completion; }                    // [op]
  // What was written before is the operation's.
  void begin() noexcept { word_.store(under_way, std::memory_order_release); }  // [op]
  // For an operation that is not given to a poller: it may be claimed immediately.
  void listen() noexcept { word_.store(0, std::memory_order_relaxed); }
  // The fiber is off its stack, in the first part. False if it is done: there is nothing to wait
  // for.
  bool wait() noexcept {
    std::uint32_t found = under_way;
    // [op] from here on the completion may run the fiber
    return word_.compare_exchange_strong(found, 0, std::memory_order_acq_rel, std::memory_order_acquire);
  }
  // The same in the second part.
  bool wait_after_cancel() noexcept {
    std::uint32_t found = word_.load(std::memory_order_acquire);  // [op]
    while (found != by_completion)
      // [op] from here on the completion may run the fiber
      if (word_.compare_exchange_weak(found, canceled, std::memory_order_acq_rel, std::memory_order_acquire))
        return true;
    return false;
  }
  // What the operation was begun with may be read.
  void about_to_complete() const noexcept { (void)decided(); }  // [op]
  // True if that wakes the fiber. The last touch.
  bool complete() noexcept {
    const std::uint32_t found = word_.exchange(by_completion, std::memory_order_acq_rel);  // [op]
    return found == 0 || found == canceled;
  }

 private:
  static constexpr std::uint32_t by_completion = to_word(wait_result::completed), under_way = 5, canceled = 6;
};

struct io_op {
  G* g = nullptr;
  void* held = nullptr;  // what is given up once g is off its stack
  // Memory that g uses when it runs again, or null: a completion prefetches it. Of
  // `prefetch_around` these bytes.
  const void* prefetch_around = nullptr;
  const void* prefetch_closure = nullptr;
  static constexpr std::size_t prefetched[] = {0, 128};
  int wake_fd = -1;  // a plain thread waits in poll(2) on this too
  std::int32_t res = 0;  // of the system call: a result, or an error number below 0
  op_word word;
};

// Before the operation is given to the poller: `g` will wait for it.
inline void begin_op(io_op& op, G* g) noexcept {
  op.g = g;
  op.res = 0;
  op.word.begin();
}

// Its result is `res`. From any M, with or without a P. `op` may be gone when this returns.
void complete(io_op* op, std::int32_t res, ready_list& ready);

// Second part: returns when it is done. `op` has been cancelled.
void wait_until_done(io_op& op);

}  // namespace weft::detail
