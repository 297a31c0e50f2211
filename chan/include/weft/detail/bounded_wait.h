// Waits that a context or a deadline may end before what is waited for has come.
//
// The waiter stands in the primitive's queue as ever. A second one with the same claim word stands
// among the receivers of the context's done channel, where closing finds it; a deadline claims the
// word through park_until. The first to claim it has decided. A waker that wins hands over what it
// has (an element, tokens, the mutex); one that loses keeps it for the next in line. So nothing is
// lost, and nothing is given to somebody who has left.
//
// The primitive's lock and the done channel's are taken together, in the order of their addresses
// and before anybody is queued: a done channel may itself be what is waited on, so no order by kind
// would do. Both are given up by the other side of the switch. Each way out takes the lock of every
// queue that may still hold a waiter of ours, so neither record nor list is gone too early.
//
// Refused: a helper fiber per wait, and a flag that each primitive polls.
#pragma once
#include <weft/detail/fiber.h>
#include <weft/detail/wait_queue.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace weft {

class context;

namespace detail {

class channel_base;

// What context.h has for the primitives. Null: never done. Lives as long as a handle to the context.
channel_base* done_channel(const context& ctx);
std::error_code error_of(const context& ctx);

inline constexpr std::int64_t no_deadline = INT64_MAX;

// What may end a wait from outside; null and no_deadline mean that it does not.
struct wait_bound {
  const context* ctx = nullptr;
  std::int64_t deadline_ns = no_deadline;

  bool none() const noexcept { return !ctx && deadline_ns == no_deadline; }
};

enum class wait_end { granted, canceled, timed_out };

class bounded_wait {
 public:
  // Takes `lock` (may be null) and the lock of the context's done channel.
  bounded_wait(spin_lock* lock, const wait_bound& bound);
  bounded_wait(const bounded_wait&) = delete;
  bounded_wait& operator=(const bounded_wait&) = delete;

  // With the locks held: the context is done, so there is no point in queueing.
  bool over_locked() const noexcept { return over_; }
  // Gives the locks up, once.
  void leave() noexcept { hold_.leave(); }

  // With the locks held and over_locked() false: what w needs before it is put into a queue of `lock`'s.
  // The word that w is claimed with is in here: this object outlives w's stay in that queue.
  void enter(waiter& w) noexcept;
  // Gives the locks up once the caller is off its stack, and waits. Unless `granted`, w may still be
  // in its queue: the caller must take the lock and look.
  wait_end park(wait_reason reason);

  // enter, queue, park, and out of the queue again, for those that have nothing else to mend.
  wait_end park_in(wait_queue& queue, waiter& w, wait_reason reason);

 private:
  static constexpr std::uint32_t by_context = claim_word::timed_out - 1;
  std::size_t order_locks() noexcept;

  spin_lock* lock_;
  channel_base* done_;  // null: nothing to listen to, or it is `lock`'s own
  const std::int64_t deadline_ns_;
  std::array<spin_lock*, 2> locks_;
  sections hold_;
  bool over_;
  claim_word word_;
  waiter listener_;
};

// Waits for nothing but the bound.
wait_end wait_for_bound(wait_reason reason, const wait_bound& bound);

}  // namespace detail
}  // namespace weft
