// Waking: the lists of idle Ps and Ms, and which M gets a P when there is work.
#pragma once
#include <cstdint>

#include "sched/threads.h"

namespace weft::detail {

class ready_list;
struct M;
struct P;
struct poller;
struct world;

// For a push to a ring or the global queue, after a full fence: wakes an M if none searches for
// work.
void wake_for_ring(world& w) noexcept;
// The same for a push to a `next` slot.
void wake_for_next(world& w) noexcept;
// Removes an M from the count of Ms that search for work (I1).
void one_less_spins(world& w) noexcept;
// The M has found work: it leaves the count of searching Ms, and another M is woken if necessary.
void stop_spinning_with_work(M* m);
// The M has found work in its own P only, and leaves a timer that it has armed last.
void leave_timers_with_work(M* m);
// Wakes or makes an M for `p`, which no M holds. The M is counted in world::spinning already.
// `optional`: where no thread may be made, p goes to the idle list instead, and Ms that become idle
// find it there.
void start_m(world& w, P* p, thread_need need = thread_need::certain);
// Returns true if an M is idle, or may be made.
bool m_available_approx(world& w) noexcept;
// Puts p on the idle list. With the world's lock held.
void push_idle_p_locked(world& w, P* p) noexcept;
P* acquire_idle_p_locked(world& w) noexcept;
void acquire_p(M* m, P* p) noexcept;
// m releases its P, which is returned; null if it had none.
P* detach_p(M* m) noexcept;
// m no longer has the P, which another M or the monitor has already.
void clear_p(M* m) noexcept;
// m, which has no P, gets an idle one. Returns false if there is none.
bool acquire_idle_p(M* m) noexcept;
// Wakes an M to sleep for timers if no M does. The monitor is at most `look_takes_ns` late for
// that.
inline constexpr std::int64_t look_takes_ns = 100'000;
void ensure_timer_waiter(world& w) noexcept;
// A timer is now the earliest of its P: the M that sleeps for all timers must not sleep longer.
void timer_came_first(world& w, std::int64_t due) noexcept;
// Wakes an idle M, which the caller has given a P or a task.
void wake_m(M* m) noexcept;
void wake_everybody(world& w) noexcept;
// Blocks until wake_m(m), at most to the deadline. Returns true if woken.
bool sleep_m(M* m, std::int64_t deadline);
// As sleep_m(), in the poller: also returns when fibers have become ready.
bool poll_m(M* m, poller& net, std::int64_t deadline, ready_list& ready);

// Takes m, an idle M, off every list that it is on. With the world's lock held.
void unlist_locked(world& w, M* m) noexcept;

}  // namespace weft::detail
