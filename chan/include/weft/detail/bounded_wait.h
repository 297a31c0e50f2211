// Waits that a context or a deadline may end.
//
// The waiter is in the primitive's queue, as without a bound. A second waiter with the same claim
// word is among the receivers of the context's done channel, where close() finds it. A deadline
// claims the word through park_until. The first claim decides. A waker that wins hands over its
// value (an element, tokens, the mutex). A waker that loses keeps the value for the next waiter. So
// no value is lost, and no value goes to a waiter that has left.
//
// The primitive's lock and the done channel's lock are taken together, in the order of their
// addresses, before a waiter is queued: the done channel may be the channel that is waited on, so
// an order by kind does not work. The other side of the switch releases both. Each way out takes
// the lock of every queue that may hold one of the waiters, so neither a record nor a list is freed
// too early.
//
// Refused: a helper fiber for each wait, and a flag that each primitive polls.
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

// The done channel of a context. Null: never done. Lives as long as a handle to the context.
channel_base* done_channel(const context& ctx);
std::error_code error_of(const context& ctx);

inline constexpr std::int64_t no_deadline = INT64_MAX;

// The bound of a wait: a context, a deadline, both or none.
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

  // Returns true if the context is done. With the locks held; do not queue then. Throws weft::panic
  // if the context was made in a simulation that has ended.
  bool over_locked() const {
    if (!over_) return false;
    check_context();
    return true;
  }
  // Releases the locks, once.
  void leave() noexcept { hold_.leave(); }

  // Prepares w for a queue of `lock`. With the locks held and over_locked() false. This object
  // contains w's claim word, so it must outlive w's stay in that queue.
  void enter(waiter& w) noexcept;
  // Releases the locks once the caller is off its stack, and blocks. Unless it returns `granted`, w
  // may still be in its queue: the caller must take the lock and check.
  wait_end park(wait_reason reason);

  // Enters, queues w, parks, and takes w out of the queue again, for primitives with no other state
  // to restore.
  wait_end park_in(wait_queue& queue, waiter& w, wait_reason reason);

 private:
  static constexpr std::uint32_t by_context = claim_word::timed_out - 1;
  std::size_t order_locks() noexcept;
  void check_context() const;

  spin_lock* lock_;
  channel_base* done_;  // null: no context, or the channel is `lock`'s own
  const std::int64_t deadline_ns_;
  std::array<spin_lock*, 2> locks_;
  sections hold_;
  bool over_;
  claim_word word_;
  waiter listener_;
};

// Blocks until the bound ends the wait.
wait_end wait_for_bound(wait_reason reason, const wait_bound& bound);

}  // namespace detail
}  // namespace weft
