// Forks without a stack: work that a fiber has announced and will do itself, unless another P takes
// it.
//
// fork-join code forks far more often than there are Ps. So a fork is a record in the frame of the
// function that forks, linked from its M: it costs a few stores. The function then runs its first
// branch, unlinks the record and runs the second branch as a call. Only two events give a record a
// fiber of its own, which is called sharing it:
//   - a P is idle when the owner opens a fork: the owner shares its oldest record, which stands for
//     the largest part of the work;
//   - the owner is about to suspend: it shares all its records first, so that a branch that blocks
//     does not hold up the others.
// Only the fiber that opened a record touches it until it is shared, so the list needs no atomic
// operation. A fiber without open records may change its M; with open records it does not, because
// a suspension shares them. So the list belongs to the M, and m_face has its two ends.
//
// Refused: a lock-free deque for each P from which thieves take (a fence for each fork, where an
// idle P is rare); a spawn record for each fork (22 ns where this costs 3); helping, that is, other
// work on the stack of a fiber that waits for a branch (its depth has no bound).
#pragma once
#include <weft/detail/fiber.h>

#include <atomic>
#include <cstdint>

namespace weft::detail {

struct fork_record {
  enum class share_how : std::uint8_t {
    part,  // for an idle P: the record may keep a part of its work
    all,   // before a suspension: no work that has not begun may stay with the owner
  };
  // Gives the work a fiber by submit_fork(), and returns true if none is left in the record. The
  // record is unlinked then. Throws nothing: returns false if there is no memory for a fiber.
  using share_fn = bool (*)(fork_record&, share_how) noexcept;

  explicit fork_record(share_fn f) noexcept : share(f) {}
  fork_record(const fork_record&) = delete;
  fork_record& operator=(const fork_record&) = delete;

  share_fn share;
  fork_record* newer = nullptr;
  fork_record* older = nullptr;
  bool open = false;    // linked from the M that runs the owner
  bool shared = false;  // share() has given work to a fiber at least once
};

// The value of m_face::no_suspend_site while forks are open.
extern const char fork_mark;

// Shares the oldest record of m's fiber if a P is idle and m's P has nothing queued. From the fiber
// that m runs.
void share_oldest_fork(m_face* m) noexcept;
// Shares all records of m's fiber, oldest first, and unlinks them. From the fiber that m runs.
void share_all_forks(m_face* m) noexcept;

// Links `r`, with a P idle shares the oldest record. From the fiber that m runs.
[[gnu::always_inline]] inline void open_fork(m_face* m, fork_record& r) noexcept {
  fork_record* const before = m->newest_fork;
  r.older = before;
  r.open = true;
  m->newest_fork = &r;
  if (before) {
    before->newer = &r;
  } else {
    m->oldest_fork = &r;
    if (!m->no_suspend_site) m->no_suspend_site = &fork_mark;
  }
  if (m->idle_ps->load(std::memory_order_relaxed) > 0) [[unlikely]]
    share_oldest_fork(m);
}

// Unlinks `r`, which is open and the newest. From the fiber that m runs.
[[gnu::always_inline]] inline void close_fork(m_face* m, fork_record& r) noexcept {
  fork_record* const before = r.older;
  r.open = false;
  m->newest_fork = before;
  if (before) {
    before->newer = nullptr;
  } else {
    m->oldest_fork = nullptr;
    if (m->no_suspend_site == &fork_mark) m->no_suspend_site = nullptr;
  }
}

// Queues a fiber that calls invoke(arg), behind the fibers that the P has queued. `site` is the
// place of the fork for dumps. Returns false if there is no memory. From a share_fn.
bool submit_fork(void (*invoke)(void*), void* arg, const void* site) noexcept;

// Returns true while a world runs: a plain thread may start fibers.
bool world_runs() noexcept;

// Where the caller's forks are linked: its M, or, in a simulation, a list of the fiber. Null on a
// plain thread.
m_face* fork_list() noexcept;

// A counter of about the CPU's speed, and its value for a microsecond. For the choice of a grain.
std::uint64_t fork_ticks() noexcept;
std::uint64_t fork_ticks_per_us() noexcept;

}  // namespace weft::detail
