// The scheduler's interface for the typed primitives (channels, locks, timers): the calling fiber,
// parking it, making a fiber ready, and a lock whose holder may park.
#pragma once
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cstdint>
#include <span>

namespace weft::detail {

struct fork_record;  // fork_record.h
struct G;   // a fiber, or the stand-in of a plain OS thread that waits
struct M;   // an OS thread that runs fibers

// Why a fiber does not run. The texts stand in dumps and verdicts; they are Go's where Go has the
// same wait.
enum class wait_reason : std::uint8_t {
  none,
  chan_receive,
  chan_send,
  chan_receive_nil,
  chan_send_nil,
  select,
  select_no_cases,
  sleep,
  mutex_lock,
  rw_mutex_lock,
  cond_wait,
  wait_group_wait,
  once_wait,
  join,
  semaphore,
  io_wait,
  blocked_call,
};
const char* to_string(wait_reason r) noexcept;

// The idle_ps of an M that belongs to no world.
inline constinit std::atomic<int> no_idle_ps{0};

// The part of an M that inline code reads and writes. See sched/solo.cc and sched/retake.cc.
struct m_face {
  // The fiber it runs; null while it is on its own stack. Written by this M.
  G* g = nullptr;
  // True while this M holds the only P and no plain thread has ever used a primitive. Written by
  // this M; by a plain thread that then waits until `in_section` is false; by the monitor.
  std::atomic<bool> solo{false};
  // True while this M is in a section. Written by this M.
  std::atomic<bool> in_section{false};
  // False while this M runs a fiber's own code, including sections. Written by this M.
  std::atomic<bool> in_runtime{true};
  // This M must check whether it still holds its P before it uses the P. Written by this M and the
  // monitor.
  std::atomic<bool> in_doubt{false};
  // The place where the region began in which its fiber must not suspend (sched/no_suspend.h), or
  // fork_mark: its fiber has open forks, which a suspension must share first. Written by this M.
  const void* no_suspend_site = nullptr;
  // The open forks of the fiber that it runs, newest and oldest. Written by this M. See
  // fork_record.h.
  fork_record* newest_fork = nullptr;
  fork_record* oldest_fork = nullptr;
  // The number of idle Ps of its world. Set once.
  const std::atomic<int>* idle_ps = &no_idle_ps;
};

// The calling thread's M, or null on a plain thread. Never inlined: the address of a thread-local
// must not live across a switch.
m_face* this_m_face() noexcept;

// The stand-in of the calling plain thread in queues: a G without a stack.
G* stand_in() noexcept;

// A plain thread is about to use what `lock` guards: no M may skip locks from here on. In a
// simulation another fiber may run first: sched/sim/.
void end_solo_if_foreign(const void* lock) noexcept;

// m is at the beginning of a section and in doubt. Returns when it certainly has a P, in the same
// thread.
void settle_section(m_face* m) noexcept;

// Holds the lock of a primitive for a few instructions. While only one M can use the primitive, no
// lock is taken: the M sets a mark that it is in a section, and a plain thread that arrives waits
// until the mark is cleared. The mark also keeps the P: an M in a section has a P, and does not
// lose it before the end.
class section {
 public:
  explicit section(spin_lock& lock) noexcept : section(lock, this_m_face()) {}
  // For a caller that has its M, null on a plain thread.
  section(spin_lock& lock, m_face* caller) noexcept : lock_(&lock), m_(caller) {
    m_face* const m = m_;  // in a register, not read again after each fence
    if (m) [[likely]] {
      m->in_section.store(true, std::memory_order_relaxed);
      // The store above stays before the loads below; the other side fences for both. Notes [solo],
      // [retake].
      std::atomic_signal_fence(std::memory_order_seq_cst);  // [solo] A2, [retake] R2: marked, then checked
      if (m->solo.load(std::memory_order_relaxed)) {
        lock_ = nullptr;
        return;
      }
      if (m->in_doubt.load(std::memory_order_relaxed)) [[unlikely]]
        settle_section(m);
    } else {
      end_solo_if_foreign(&lock);
    }
    lock.lock();
  }
  section(const section&) = delete;
  section& operator=(const section&) = delete;
  ~section() {
    if (open_) leave();
  }

  // Ends the section, once. The last access to the lock, whose owner may be destroyed right after.
  void leave() noexcept {
    open_ = false;
    leave(lock_, m_);
  }
  // Transfers the section to code that runs later on this M. Returns the lock to release, or null
  // if none is held.
  spin_lock* hand_over() noexcept {
    open_ = false;
    return lock_;
  }
  static void leave(spin_lock* held, m_face* m) noexcept {
    if (held) held->unlock();  // the section object may be gone from here on: its fiber may run
    if (m) m->in_section.store(false, std::memory_order_release);  // [solo] A4: our stores before the mark is gone
  }

  // The caller's M as it was on entry, so until the caller parks; null on a plain thread.
  m_face* m() const noexcept { return m_; }
  // The caller's G.
  G* self() const noexcept { return m_ && m_->g ? m_->g : stand_in(); }

 private:
  spin_lock* lock_;  // null: solo
  m_face* m_;
  bool open_ = true;
};

// Several locks held together, for select. `locks` is sorted by address and without duplicates.
class sections {
 public:
  explicit sections(std::span<spin_lock* const> locks) noexcept : locks_(locks), m_(this_m_face()) {
    m_face* const m = m_;  // in a register, not read again after each fence
    if (m) [[likely]] {
      m->in_section.store(true, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);  // [solo] A2, [retake] R2: as in section
      if (m->solo.load(std::memory_order_relaxed)) {
        locks_ = {};
        return;
      }
      if (m->in_doubt.load(std::memory_order_relaxed)) [[unlikely]]
        settle_section(m);
    } else {
      end_solo_if_foreign(locks_.size() == 1 ? locks_.front() : nullptr);  // of several the first is any
    }
    for (spin_lock* l : locks_) l->lock();
  }
  sections(const sections&) = delete;
  sections& operator=(const sections&) = delete;
  ~sections() {
    if (open_) leave();
  }

  // Ends all, once. The list may lie on the stack of a fiber that parks. It lives until the last
  // lock is released, because that fiber takes every lock except its waker's before it continues.
  void leave() noexcept {
    open_ = false;
    const std::span<spin_lock* const> locks = locks_;
    m_face* m = m_;
    for (std::size_t i = locks.size(); i > 0; --i) locks[i - 1]->unlock();
    if (m) m->in_section.store(false, std::memory_order_release);  // [solo] A4
  }

 private:
  std::span<spin_lock* const> locks_;
  m_face* m_;
  bool open_ = true;
};

// The calling fiber's G; on a plain thread its stand-in. Valid as long as the fiber or thread
// lives.
G* self() noexcept;

// True in a fiber, false on a plain thread.
bool in_fiber() noexcept;

// Runs after the parking fiber has left its stack: from then on it may be made ready.
using commit_fn = void (*)(G* parked, void* arg);

// Parks the caller until ready() is called on it. `commit` runs once the caller is off its stack. A
// lock under which a waker finds the caller must be released there, not earlier. On a plain thread
// blocks the thread.
void park(wait_reason reason, commit_fn commit, void* arg);

// As above with the most frequent commit: it ends `held`.
void park(wait_reason reason, section& held);

// Decides a wait that more than one event may end: a select, or a wait with a deadline. The first
// thread that changes the word from 0 has decided.
//
// Note [claim]: the deciding thread acquires what an earlier loser did, and releases what it did
// before. A thread that reads the decision acquires that. Values handed over later pass through
// ready().
class claim_word {
 public:
  static constexpr std::uint32_t timed_out = UINT32_MAX;
  bool claim(std::uint32_t what) noexcept {
    std::uint32_t open = 0;
    // [claim] the deciding thread owns the waiter's fields from here on
    return word_.compare_exchange_strong(open, what, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  std::uint32_t decided() const noexcept { return word_.load(std::memory_order_acquire); }  // [claim]

 protected:
  std::atomic<std::uint32_t> word_{0};
};

// As park(), and at the deadline (nanoseconds of the clock) claims `word` with timed_out and wakes
// the caller, unless it is decided by then. When it returns, word is decided, and only the queues
// that the caller is still in refer to it.
void park_until(wait_reason reason, commit_fn commit, void* arg, claim_word& word, std::int64_t deadline_ns);

// What park() and park_until() throw, at the end of a simulation alone, comes to a handler that
// takes the caller out of the queues that it waits in. The outermost such handler ends by this
// call: continues the unwinding, unless the caller's own frames must stay as they are.
[[noreturn]] void leave_ended_wait();

// Returns a random number for choices that need not be secret. From any thread.
std::uint64_t cheap_random() noexcept;

// Parks the caller and never resumes it.
[[noreturn]] void park_forever(wait_reason reason);

// Makes `g` runnable, next on this P, and wakes an M if one should search for work. From any
// thread; never from a signal handler. `g` may run before this returns: do not use it after the
// call.
void ready(G* g);
// The same for a caller that has its M, null on a plain thread.
void ready(G* g, m_face* m);

}  // namespace weft::detail
