// One operation that a fiber waits for, from its start to its completion. On the fiber's stack.
//
// An operation under way belongs to the poller, and its buffer to the kernel, until it is completed. So a
// fiber whose time is over before that (deadline, context, close) asks for the operation to be cancelled and
// waits for the completion all the same: it never leaves while somebody may still write to its stack.
//
// The wait thus has two parts. In the first, whoever claims `word` wakes the fiber: the completion, a timer,
// a closer or a context. In the second, which comes only if it was not the completion, nobody but the
// completion does. `state` tells the completion in which part it finds the fiber, and the fiber, which may not
// have parked yet, that there is nothing to wait for any more.
//
// Note [op]: the fiber releases the operation when it starts it, and the completion acquires that before it
// reads; the completion's last touch is its exchange, which releases the result; the fiber acquires it.
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

#include "sched/ready_list.h"

namespace weft::detail {

struct io_op {
  enum class progress : std::uint32_t { under_way, waited_for, canceled, done };
  static constexpr std::uint32_t by_completion = 1, by_timer = 2, by_close = 3, by_context = 4;

  G* g = nullptr;
  void* held = nullptr;   // what g gives up once it is off its stack
  const void* around = nullptr;  // what g goes on with, or null: these of its bytes are asked for in time
  static constexpr std::size_t asked_for[] = {0, 128};
  int wake_fd = -1;       // a plain thread waits in poll(2) on this too
  std::int32_t res = 0;   // of the system call: a result, or an error number below 0
  claim_word word;
  std::atomic<progress> state{progress::done};

  bool done() const noexcept { return state.load(std::memory_order_acquire) == progress::done; }  // [op]
};

// Before the operation is given to the poller: `g` will wait for it.
inline void begin_op(io_op& op, G* g) noexcept {
  op.g = g;
  op.res = 0;
  std::destroy_at(&op.word);
  ::new (&op.word) claim_word;
  op.state.store(io_op::progress::under_way, std::memory_order_release);  // [op]
}

// Its result is `res`. From any M, with or without a P. `op` may be gone when this returns.
void complete(io_op* op, std::int32_t res, ready_list& ready);

// Second part: returns when it is done. `op` has been cancelled.
void wait_until_done(io_op& op);

}  // namespace weft::detail
