// Many readers or one writer. Go's sync.RWMutex, C++'s SharedTimedLockable.
//
// A writer that waits keeps new readers out, so it is never starved; the readers that came while it
// held the lock go before the next writer, so they are not either. Therefore a reader must not lock
// again what it holds: between the two a writer may come, and both wait for ever. What one fiber
// has locked, another may unlock.
//
// While readers alone use the lock and get in each other's way, they are counted in slots on cache
// lines of their own, one per CPU, and no longer disturb each other; the next writer ends that.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/holder.h>
#include <weft/detail/wait_queue.h>
#include <weft/mutex.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace weft {

class rw_mutex {
 public:
  constexpr rw_mutex() noexcept = default;
  rw_mutex(const rw_mutex&) = delete;
  rw_mutex& operator=(const rw_mutex&) = delete;
  ~rw_mutex() {
    if (slots_) [[unlikely]]
      free_slots();
  }

  // Blocks until the caller is alone. Go's Lock.
  void lock() {
    if (!try_lock_alone()) [[unlikely]]
      lock_slow({});
    holder_.is_caller();
  }
  // As lock(), but at most until ctx is done: its error then, and the lock is not the caller's.
  [[nodiscard]] std::error_code lock(const context& ctx);
  // Never blocks. Go's TryLock.
  bool try_lock() { return held_if(try_lock_alone() || try_lock_slow()); }
  // Blocks no longer than that; false if the lock was not to be had.
  template <class R, class Period>
  bool try_lock_for(const std::chrono::duration<R, Period>& d) {
    return try_lock() || held_if(lock_slow({.deadline_ns = detail::deadline_in(detail::rounded_up(d))}));
  }
  template <class Clock, class D>
  bool try_lock_until(const std::chrono::time_point<Clock, D>& t) {
    return try_lock() || held_if(lock_slow({.deadline_ns = detail::deadline_of(t)}));
  }
  // Throws weft::panic unless a writer holds the lock. Never blocks. Go's Unlock.
  void unlock() {
    holder_.nobody();
    std::uint64_t alone = writing;
    // [rw] our stores before the next holder
    if (!state_.compare_exchange_strong(alone, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
      unlock_slow();
  }

  // Blocks until no writer holds the lock or waits for it. Go's RLock.
  void lock_shared() {
    if (!try_count_reader()) [[unlikely]]
      lock_shared_slow({});
  }
  // As lock_shared(), but at most until ctx is done: its error then.
  [[nodiscard]] std::error_code lock_shared(const context& ctx);
  // Never blocks; false if a writer holds the lock or waits for it. Go's TryRLock.
  bool try_lock_shared() { return try_count_reader() || try_lock_shared_slow(); }
  // Blocks no longer than that; false if a writer was in the way all the time.
  template <class R, class Period>
  bool try_lock_shared_for(const std::chrono::duration<R, Period>& d) {
    return try_count_reader() || lock_shared_slow({.deadline_ns = detail::deadline_in(detail::rounded_up(d))});
  }
  template <class Clock, class D>
  bool try_lock_shared_until(const std::chrono::time_point<Clock, D>& t) {
    return try_count_reader() || lock_shared_slow({.deadline_ns = detail::deadline_of(t)});
  }
  // Throws weft::panic unless a reader holds the lock. Never blocks. Go's RUnlock.
  void unlock_shared() {
    std::uint64_t s = one_reader;
    if (slots_in_use_.load(std::memory_order_relaxed) || !uncount_reader_here(s)) [[unlikely]]
      unlock_shared_slow();
  }

  // The readers' side as a lock of its own. Go's RLocker.
  class reader_view {
   public:
    explicit reader_view(rw_mutex& of) noexcept : of_(&of) {}
    void lock() { of_->lock_shared(); }
    bool try_lock() { return of_->try_lock_shared(); }
    void unlock() { of_->unlock_shared(); }

   private:
    rw_mutex* of_;
  };
  reader_view r_locker() noexcept { return reader_view(*this); }

 private:
  // state_: who holds the lock and whether anybody waits; above, readers counted here.
  static constexpr std::uint64_t writing = 1, queued = 2, spread = 4, one_reader = 8;
  static constexpr std::uint64_t no_shortcut = writing | queued | spread;
  struct slot;
  enum class slot_try { done, frozen, empty };

  bool try_lock_alone() noexcept {
    std::uint64_t free = 0;
    // [rw] the last holders' stores before ours
    return state_.compare_exchange_strong(free, writing, std::memory_order_acquire, std::memory_order_relaxed);
  }
  [[gnu::always_inline]] inline bool held_if(bool got) noexcept {
    if (got) holder_.is_caller();
    return got;
  }
  // state_ is guessed and not read at first: a load of what an instruction before has locked waits
  // as long as the next such instruction does.
  bool try_count_reader() noexcept {
    if (slots_in_use_.load(std::memory_order_relaxed)) return false;
    std::uint64_t s = 0;
    return count_reader_here(s) || (!(s & no_shortcut) && count_reader_here(s));
  }
  bool count_reader_here(std::uint64_t& s) noexcept {
    // [rw] the last writer's stores before our reads
    return state_.compare_exchange_strong(s, s + one_reader, std::memory_order_acquire, std::memory_order_relaxed);
  }
  bool uncount_reader_here(std::uint64_t& s) noexcept {
    // [rw] our reads before the next writer
    return state_.compare_exchange_strong(s, s - one_reader, std::memory_order_release, std::memory_order_relaxed) ||
           (s >= one_reader && !(s & no_shortcut) &&
            // [rw] as above
            state_.compare_exchange_strong(s, s - one_reader, std::memory_order_release, std::memory_order_relaxed));
  }

  // Each false: the bound came first.
  bool lock_slow(const detail::wait_bound& bound);
  bool wait_at_gate(const detail::wait_bound& bound);
  bool claim_or_queue_locked();
  bool try_lock_slow();
  void unlock_slow();
  bool lock_shared_slow(const detail::wait_bound& bound);
  bool try_lock_shared_slow();
  void leave_readers(detail::waiter& w);
  bool count_reader_locked();
  void unlock_shared_slow();
  bool uncount_reader();
  void leave_gate(detail::waiter& w);
  detail::waiter* admit_readers_locked(std::uint64_t counted);
  detail::waiter* next_after_readers_locked();

  static slot_try count_in_slot(slot& s) noexcept;
  static slot_try uncount_in_slot(slot& s) noexcept;
  void note_contention();
  void spread_locked();
  void gather_locked();
  bool looks_read() const noexcept;
  void free_slots() noexcept;

  std::atomic<std::uint64_t> state_{0};
  std::atomic<slot*> slots_in_use_{nullptr};  // slots_ while `spread` is set; written under queue_lock_
  slot* slots_ = nullptr;                  // under queue_lock_: stripe_count() of them, made when first spread
  detail::spin_lock queue_lock_;
  std::atomic<std::uint32_t> contention_{0};  // races lost by readers since the last writer
  detail::wait_queue readers_;             // under queue_lock_
  detail::wait_queue gate_;                // under queue_lock_: the one writer whose turn is next
  mutex writers_;                          // to be that one
  detail::holder holder_;                  // the writer
};

}  // namespace weft
