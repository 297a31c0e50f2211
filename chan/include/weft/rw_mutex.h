// Reader-writer locks: many readers or one writer. Go's sync.RWMutex, C++'s SharedTimedLockable.
//
//   weft::rw_mutex lock;
//   { std::shared_lock reading(lock); ... }
//   { std::lock_guard writing(lock); ... }
//
// A waiting writer blocks new readers, so it is not starved. Readers that arrived while it held the
// lock run before the next writer, so they are not starved either. Therefore a reader must not lock
// again what it holds: if a writer arrives between the two calls, both wait without end. A fiber
// may unlock what another fiber has locked.
//
// When only readers use the lock and contend for its word, they are counted in slots on separate
// cache lines, one per CPU, without contention. The next writer ends that.
//
// It pays where many fibers read at the same time, each for much longer than a lock costs, and few
// write. For short sections a weft::mutex is as fast and smaller; for a value that is replaced as a
// whole see atomic_value.h, whose readers take no lock.
//
// There is no upgrade from a reader to the writer: two readers that both wait for it would wait
// without end. Unlock, lock for writing, and read again: another writer may have come between.
//
// unlock() must match lock(), and unlock_shared() lock_shared(): a mismatch throws weft::panic. A
// lock that is held when it is destroyed is a mistake that is not detected.
//
// For code that takes any lock, e.g. std::scoped_lock, the readers' side is a lock too: r_locker().
//
// All functions may be called from fibers and plain threads, not from signal handlers.
#pragma once
#include <weft/detail/bounded_wait.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline.h>
#include <weft/detail/fiber.h>
#include <weft/detail/holder.h>
#include <weft/detail/in_line.h>
#include <weft/detail/wait_queue.h>
#include <weft/mutex.h>

#include <atomic>
#include <cstdint>
#include <system_error>

namespace weft {

// A reader-writer lock. Constant-initialised.
class rw_mutex {
 public:
  constexpr rw_mutex() noexcept = default;
  rw_mutex(const rw_mutex&) = delete;
  rw_mutex& operator=(const rw_mutex&) = delete;
  ~rw_mutex() {
    if (slots_) [[unlikely]]
      free_slots();
  }

  // Blocks until the caller holds the lock as its only holder. What earlier holders wrote is
  // visible then. Go's Lock.
  void lock() {
    if (!try_lock_alone()) [[unlikely]]
      lock_slow({});
    holder_.is_caller();
  }
  // As lock(), but stops waiting when ctx is done. Returns ctx's error then; the caller does not
  // hold the lock.
  [[nodiscard]] std::error_code lock(const context& ctx);
  // Locks for writing and returns true, or returns false if the lock is held. Never blocks. Go's
  // TryLock.
  bool try_lock() { return held_if(try_lock_alone() || try_lock_slow()); }
  // As lock(), but returns false if the lock cannot be taken within d, or before the time t.
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
    std::uint64_t alone = detail::in_line.rw_writing;
    // [rw] our stores before the next holder
    if (!state_.compare_exchange_strong(alone, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
      unlock_slow();
  }

  // Blocks until no writer holds the lock or waits for it. Readers hold it together with others,
  // and a fiber holds it as often as it has locked it. Go's RLock.
  void lock_shared() {
    if (!try_count_reader()) [[unlikely]]
      lock_shared_slow({});
  }
  // As lock_shared(), but stops waiting when ctx is done. Returns ctx's error then; the caller
  // holds nothing.
  [[nodiscard]] std::error_code lock_shared(const context& ctx);
  // Locks for reading and returns true, or returns false if a writer holds the lock or waits for
  // it. Never blocks. Go's TryRLock.
  bool try_lock_shared() { return try_count_reader() || try_lock_shared_slow(); }
  // As lock_shared(), but returns false if the lock cannot be taken within d, or before the time t.
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
    if (counts_elsewhere() || !uncount_reader_here(s)) [[unlikely]]
      unlock_shared_slow();
  }

  // The readers' side as a Lockable: lock() calls lock_shared(), unlock() calls unlock_shared().
  // Must not outlive the rw_mutex. Go's RLocker.
  class reader_view {
   public:
    explicit reader_view(rw_mutex& of) noexcept : of_(&of) {}
    void lock() { of_->lock_shared(); }
    bool try_lock() { return of_->try_lock_shared(); }
    void unlock() { of_->unlock_shared(); }

   private:
    rw_mutex* of_;
  };
  // Returns that view. Never blocks.
  reader_view r_locker() noexcept { return reader_view(*this); }

 private:
  // state_: flags for a holder and for waiters; the bits above count the readers that hold the
  // lock.
  static constexpr std::uint64_t writing = 1, queued = 2, spread = 4, one_reader = 8;
  static constexpr std::uint64_t no_shortcut = writing | queued | spread;
  struct slot;
  enum class slot_try { done, frozen, empty };

  // Readers are counted in slots, or this is a simulation.
  bool counts_elsewhere() const noexcept {
    return reinterpret_cast<std::uintptr_t>(slots_in_use_.load(std::memory_order_relaxed)) >= detail::in_line.least;
  }
  bool try_lock_alone() noexcept {
    std::uint64_t free = detail::in_line.rw_free;
    // [rw] the last holders' stores before ours
    return state_.compare_exchange_strong(free, writing, std::memory_order_acquire, std::memory_order_relaxed);
  }
  [[gnu::always_inline]] inline bool held_if(bool got) noexcept {
    if (got) holder_.is_caller();
    return got;
  }
  // Guesses state_ instead of reading it first: a load after a locked instruction on the same line
  // waits as long as the next locked instruction.
  bool try_count_reader() noexcept {
    if (counts_elsewhere()) return false;
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

  // Each returns false if the bound ended the wait.
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
  slot* slots_ = nullptr;  // under queue_lock_: stripe_count() of them, made when first spread
  detail::spin_lock queue_lock_;
  std::atomic<std::uint32_t> contention_{0};  // races lost by readers since the last gathering
  detail::wait_queue readers_;  // under queue_lock_
  detail::wait_queue gate_;  // under queue_lock_: the writer that locks next
  mutex writers_;  // held by that writer
  detail::holder holder_;  // the writer
};

}  // namespace weft
