// The implementation of chan<T>: a lock, a ring of elements, and two queues of waiters.
//
// An operation that finds its partner waiting hands the element over directly and does not touch
// the ring, so the order is kept and the partner has its value when it wakes. No operation
// allocates, except for boxed elements. The lock is held for tens of nanoseconds. When its holder
// parks, the other side of the switch releases it.
//
// An element whose move may throw, or that is larger than max_inline_element, is in a box on the
// heap that the sender allocates before it takes the lock. So a large element is on a fiber's stack
// once, in the program's own variable.
#pragma once
#include <weft/clock.h>
#include <weft/detail/bounded_wait.h>
#include <weft/detail/simulated_object.h>
#include <weft/detail/wait_queue.h>
#include <weft/errors.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft::detail {

// The element of a chan<void>.
struct nothing {};

template <class T>
using element_of = std::conditional_t<std::is_void_v<T>, nothing, T>;

// Larger elements are boxed: two of them would be a considerable part of a stack of 256 KiB.
inline constexpr std::size_t max_inline_element = 4096;

template <class T>
inline constexpr bool large = sizeof(T) > max_inline_element;

template <class T>
inline constexpr bool boxed = large<T> || !std::is_nothrow_move_constructible_v<T>;

// The type in the ring and in a hand-over. Its move never throws.
template <class T>
using slot_of = std::conditional_t<boxed<T>, std::unique_ptr<T>, T>;

// An element that is nothing but its type needs no place in the ring: one is as good as another.
// Not so an empty class with constructors or a destructor of its own, which may count.
template <class Slot>
inline constexpr bool weightless =
    std::is_empty_v<Slot> && std::is_trivially_copyable_v<Slot> && std::is_trivially_default_constructible_v<Slot>;

template <class T, class U>
slot_of<T> to_slot(U&& v) {
  if constexpr (boxed<T>) return std::make_unique<T>(std::forward<U>(v));
  else return T(std::forward<U>(v));
}
template <class T>
T&& from_slot(slot_of<T>& s) noexcept {
  if constexpr (boxed<T>) return std::move(*s);
  else return std::move(s);
}

// Throws weft::panic; out of line, so that the callers stay small.
[[noreturn]] void panic_close_of_nil();
[[noreturn, gnu::cold]] void panic_of_ended(const char* use);  // of an object of a schedule that has ended
[[noreturn]] void panic_size_out_of_range();

enum class attempt { done, not_ready };

// `ended`: so is the schedule of a simulation in which the channel was made. Any use is a panic.
enum class channel_state : std::uint8_t { open, closed, ended };

// The part that does not know T.
class channel_base : public simulated_object {
 public:
  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept {
    // [refs] all uses of the channel before its end
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Elements in the ring, and room for them. A timer's channel shows neither, as in Go.
  std::size_t len() const noexcept { return hidden_ ? 0 : count_.load(std::memory_order_relaxed); }
  std::size_t cap() const noexcept { return hidden_ ? 0 : cap_; }

  void close();
  // As close(), but false if it is closed already, instead of a panic.
  bool close_once() noexcept;
  // A channel that no other fiber has yet is closed from its beginning, in each schedule.
  void begin_closed() noexcept {
    leave_schedule();
    state_.store(channel_state::closed, std::memory_order_release);  // [peek]
  }

  void schedule_has_ended() noexcept final;

  spin_lock& lock() noexcept { return lock_; }
  wait_queue& receivers() noexcept { return receivers_; }
  wait_queue& senders() noexcept { return senders_; }
  // True also for a channel that has ended.
  bool closed_locked() const noexcept { return state_.load(std::memory_order_relaxed) != channel_state::open; }

  bool ended_locked() const noexcept { return state_.load(std::memory_order_relaxed) == channel_state::ended; }
  bool closed_approx() const noexcept {
    return state_.load(std::memory_order_acquire) != channel_state::open;  // [peek]
  }

  // Of a channel that is closed or has ended. These three throw weft::panic.
  [[noreturn, gnu::cold]] void panic_of_send() const;
  void panic_of_receive_if_ended() const {
    if (ended_locked()) [[unlikely]]
      panic_of_ended("receive on channel");
  }
  [[gnu::cold]] void panic_of_wait_if_ended() const;  // with a context that has this done channel

  // Read without the lock. A false result was right at the moment of one of the reads.
  bool can_receive_approx() const noexcept {
    if (count_.load(std::memory_order_acquire) >= in_line.least) return true;  // [peek] then, not before, state_
    if (senders_.looks_waiting()) return true;
    return closed_approx();
  }
  bool can_send_approx() const noexcept {
    return count_.load(std::memory_order_acquire) < cap_ || receivers_.looks_waiting() ||  // [peek]
           closed_approx();
  }

 protected:
  explicit channel_base(std::size_t cap, bool hidden = false) noexcept : hidden_(hidden), cap_(cap) {}
  ~channel_base() override = default;
  // Returns the number of elements in the ring of a channel that has ended, once.
  [[gnu::cold]] std::size_t forget_kept() noexcept;

  spin_lock lock_;
  std::atomic<channel_state> state_{channel_state::open};  // written under lock_
  const bool hidden_;
  std::atomic<std::uint32_t> refs_{1};
  const std::size_t cap_;
  std::atomic<std::size_t> count_{0};  // written under lock_
  std::size_t head_ = 0;  // under lock_: index of the oldest element
  wait_queue receivers_, senders_;
};

// Note [refs]: each owner's last use precedes its decrement with release; the decrement to 0
// acquires all of them.

template <class T>
class channel : public channel_base {
 public:
  using slot = slot_of<T>;
  using out = std::optional<slot>;

  static channel* make(std::size_t cap) {
    check_size(cap);
    return new channel(cap);
  }
  explicit channel(std::size_t cap, bool hidden = false) : channel_base(cap, hidden) {
    if constexpr (!weightless<slot>)
      if (cap > 0) ring_ = std::allocator<slot>().allocate(cap);
  }
  ~channel() override {
    [[maybe_unused]] std::size_t n = count_.load(std::memory_order_relaxed);
    if (ended_locked()) [[unlikely]]
      n = forget_kept();
    if constexpr (!weightless<slot>) {
      for (; n > 0; --n) {
        std::destroy_at(&ring_[head_]);
        head_ = after(head_);
      }
      if (ring_) std::allocator<slot>().deallocate(ring_, cap_);
    }
  }

  // Blocks until a receiver or the ring has taken s. Panics if the channel is or gets closed.
  void send(slot& s) {
    section hold(lock_);
    waiter* partner = nullptr;
    if (try_send_locked(s, partner) == attempt::done) {
      hold.leave();
      if (partner) ready(partner->g, hold.m());
      return;
    }
    waiter w;
    w.g = hold.self();
    w.slot = &s;
    senders_.push(&w);
    park_queued(wait_reason::chan_send, hold, senders_, w);
    if (!w.ok) panic_of_send();
  }

  // Blocks until there is an element; empty if the channel is closed and empty.
  [[gnu::noinline]] void receive(out& o) {
    section hold(lock_);
    waiter* partner = nullptr;
    if (try_receive_locked(o, partner) == attempt::done) {
      hold.leave();
      if (partner) ready(partner->g, hold.m());
      return;
    }
    waiter w;
    w.g = hold.self();
    w.slot = &o;
    receivers_.push(&w);
    park_queued(wait_reason::chan_receive, hold, receivers_, w);
  }

  // As above, until the bound ends the wait. Unless granted, s is unchanged and o is empty.
  wait_end send_bounded(slot& s, const wait_bound& bound);
  wait_end receive_bounded(out& o, const wait_bound& bound);

  attempt try_send(slot& s) {
    if (!can_send_approx()) return attempt::not_ready;
    section hold(lock_);
    waiter* partner = nullptr;
    const attempt a = try_send_locked(s, partner);
    hold.leave();
    if (partner) ready(partner->g, hold.m());
    return a;
  }
  attempt try_receive(out& o) {
    if (!can_receive_approx()) return attempt::not_ready;
    section hold(lock_);
    waiter* partner = nullptr;
    const attempt a = try_receive_locked(o, partner);
    hold.leave();
    if (partner) ready(partner->g, hold.m());
    return a;
  }

  // With the lock held. `partner`: the waiter to make ready after the lock is released.
  attempt try_send_locked(slot& s, waiter*& partner) {
    if (closed_locked()) [[unlikely]]
      panic_of_send();
    if (waiter* w = receivers_.take()) {
      static_cast<out*>(w->slot)->emplace(std::move(s));
      w->ok = true;
      partner = w;
      return attempt::done;
    }
    if (count_.load(std::memory_order_relaxed) == cap_) return attempt::not_ready;
    push_locked(s);
    return attempt::done;
  }
  // done with an empty `o`: closed and drained.
  attempt try_receive_locked(out& o, waiter*& partner) {
    if (const std::size_t n = count_.load(std::memory_order_relaxed); n > 0) {
      take_oldest_locked(o);
      if (waiter* w = senders_.take()) {  // the ring was full: its oldest waiter moves up
        put_locked(n - 1, *static_cast<slot*>(w->slot));  // count_ stays: [peek] it was never below n
        w->ok = true;
        partner = w;
      } else {
        count_.store(n - 1, std::memory_order_release);  // [peek]
      }
      return attempt::done;
    }
    if (waiter* w = senders_.take()) {
      o.emplace(std::move(*static_cast<slot*>(w->slot)));
      w->ok = true;
      partner = w;
      return attempt::done;
    }
    if (!closed_locked()) return attempt::not_ready;
    panic_of_receive_if_ended();
    return attempt::done;
  }

 protected:
  static void check_size(std::size_t cap) {
    constexpr std::size_t limit = std::size_t{1} << 47;  // what a process can address
    const std::size_t size = weightless<slot> ? 1 : sizeof(slot);
    if (cap > limit / size) panic_size_out_of_range();
  }
  std::size_t after(std::size_t i) const noexcept { return i + 1 == cap_ ? 0 : i + 1; }

  void push_locked(slot& s) noexcept {
    const std::size_t n = count_.load(std::memory_order_relaxed);
    put_locked(n, s);
    count_.store(n + 1, std::memory_order_release);  // [peek]
  }
  void pop_locked(out& o) noexcept {
    const std::size_t n = count_.load(std::memory_order_relaxed);
    take_oldest_locked(o);
    count_.store(n - 1, std::memory_order_release);  // [peek]
  }

 private:
  // The ring alone, behind n elements; the caller counts.
  void put_locked(std::size_t n, slot& s) noexcept {
    if constexpr (!weightless<slot>) {
      std::size_t at = head_ + n;
      if (at >= cap_) at -= cap_;
      std::construct_at(&ring_[at], std::move(s));
    }
  }
  void take_oldest_locked(out& o) noexcept {
    if constexpr (weightless<slot>) {
      o.emplace();
    } else {
      o.emplace(std::move(ring_[head_]));
      std::destroy_at(&ring_[head_]);
      head_ = after(head_);
    }
  }

  slot* ring_ = nullptr;
};

template <class T>
wait_end channel<T>::send_bounded(slot& s, const wait_bound& bound) {
  if (try_send(s) == attempt::done) return wait_end::granted;
  bounded_wait wait(&lock_, bound);
  waiter* partner = nullptr;
  if (try_send_locked(s, partner) == attempt::done) {
    wait.leave();
    if (partner) ready(partner->g);
    return wait_end::granted;
  }
  if (wait.over_locked()) return wait_end::canceled;
  waiter w;
  w.slot = &s;
  const wait_end end = wait.park_in(senders_, w, wait_reason::chan_send);
  if (end == wait_end::granted && !w.ok) panic_of_send();
  return end;
}

template <class T>
wait_end channel<T>::receive_bounded(out& o, const wait_bound& bound) {
  if (try_receive(o) == attempt::done) return wait_end::granted;
  bounded_wait wait(&lock_, bound);
  waiter* partner = nullptr;
  if (try_receive_locked(o, partner) == attempt::done) {
    wait.leave();
    if (partner) ready(partner->g);
    return wait_end::granted;
  }
  if (wait.over_locked()) return wait_end::canceled;
  waiter w;
  w.slot = &o;
  return wait.park_in(receivers_, w, wait_reason::chan_receive);
}

}  // namespace weft::detail
