// The world: all Ps and Ms of one run(), and what they share.
#pragma once
#include <weft/go.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/cache_line.h"
#include "runtime/cpu_count.h"
#include "runtime/debug_settings.h"
#include "sched/ancestry.h"
#include "sched/m.h"
#include "sched/p.h"
#include "sched/poller.h"
#include "sched/stack_marks.h"

namespace weft::detail {

inline constexpr std::uint64_t main_fiber_id = 1;

struct world {
  // Set before the first fiber runs.
  options opt;
  debug_settings debug;
  std::size_t stack_size = 0;
  bool membarrier = false;  // it works: solo.cc, retake.cc
  std::unique_ptr<stack_marks> marks;     // with debug.stacks
  std::unique_ptr<ancestry> ancestors;    // with debug.ancestors
  bool notes_ends = false;                // one of them wants to know which fibers end
  // Comes with the first wait for a descriptor and stays. Anyone.
  std::atomic<poller*> net{nullptr};

  // ---- read at every push -------------------------------------------------------------
  // Ms that look for work. Anyone, atomically.
  alignas(line_pair) std::atomic<int> spinning{0};
  // Ps in the idle list. Written under `lock`.
  std::atomic<int> idle_ps{0};
  // An idle M wakes now and then to look for a `next` slot that is not being emptied. idle.cc.
  std::atomic<bool> watching{false};
  // Idle Ms (0 or 1) that look around within a millisecond while timers crowd. Written under `lock`.
  std::atomic<int> deputies{0};
  // Size of `global`. Written under `lock`.
  std::atomic<std::size_t> global_size{0};
  std::atomic<bool> stopping{false};
  // Seconds of the clock, now and then. coarse_clock.h.
  std::atomic<std::uint32_t> coarse_s{0};
  // When the monitor looks next: timers due later may be left to it. 0: once some P is held; `never`: there is none.
  std::atomic<std::int64_t> monitor_looks_at{never};
  // When an M last woke for timers, and how long a turn lasted in such batches. idle.cc.
  std::atomic<std::int64_t> last_timer_wake{0}, turn_cost_ns{1'000'000};

  // ---- under `lock` ---------------------------------------------------------------------
  alignas(line_pair) spin_lock lock;
  ready_list global;              // the global run queue
  P* idle_p_list = nullptr;       // last idle first
  M* idle_m_list = nullptr;       // last idle first; without the sentinel
  int idle_ms = 0;                // the sentinel included
  int least_idle_ms = 0;          // the least since the monitor has last asked: retire_ms.cc
  M* sentinel = nullptr;          // the M that sleeps with a deadline, for timers
  M* io_m = nullptr;              // the M that sleeps in the poller; perhaps the sentinel too
  std::int64_t sentinel_until = never;
  int ms = 0;                     // Ms alive, idle or not
  int blocked_ms = 0;             // of those: in a blocking() call
  int locked_ms = 0;              // of those: waiting for the fiber they are locked to
  int next_m_id = 0;
  std::int64_t thread_ended_at = 0;  // when one of our threads last ended, or a world before this one
  std::vector<M*> all_ms;

  // Held while the monitor looks at who holds which P, and by an M that wants to know whether it still does.
  std::mutex retaking;

  // Ps ever made stay; the first `procs` are wanted. Written under `resize`. Those beyond that were
  // made before maxprocs shrank: one whose fiber computes is held, and filled, until its next call.
  std::array<std::atomic<P*>, max_procs> ps{};
  std::atomic<int> procs{0}, ps_made{0};
  std::mutex resize;
  bool recording = false;         // under `resize`: timeline.cc

  // There has been a second P: no M skips locks any more. solo.cc.
  std::atomic<bool> ever_shared{false};

  // Anyone, atomically.
  std::atomic<std::uint64_t> next_fiber_id{1};
  std::atomic<std::uint64_t> spawned_outside{0};  // by plain threads
  std::atomic<std::uint64_t> wakeups{0}, handoffs{0};
  std::atomic<bool> main_gone{false};             // the main fiber called goexit
  std::atomic<std::uint32_t> ended_ms{0};         // futex: run() waits for Ms to end

  // How many Ps may hold something: whoever looks for work or timers looks at all of these.
  int ps_to_look_at() const noexcept { return ps_made.load(std::memory_order_acquire); }  // [procs]
  poller* poller_or_null() const noexcept { return net.load(std::memory_order_acquire); }  // [poller]
  P* p_at(int i) const noexcept { return ps[static_cast<std::size_t>(i)].load(std::memory_order_acquire); }  // [procs]
};

// The world that runs now, or null.
world* the_world() noexcept;
void set_the_world(world* w) noexcept;

// ---- find_runnable.cc ------------------------------------------------------------------
// The M's own loop: finds a fiber, runs it, again; returns when the world stops.
void schedule(M* m);
// The next thing to run, sleeping until there is one; null when the world stops.
runnable* find_runnable(M* m);

// ---- steal.cc --------------------------------------------------------------------------
// One pass over all Ps in random order. `last_resort`: `next` slots and timers too.
enum class steal_effort { rings, last_resort };
runnable* steal_work(M* m, steal_effort effort);
// True if some ring but that of `but`, or the global queue, holds something.
bool any_work_approx(const world& w, const P* but = nullptr) noexcept;

// ---- idle.cc ---------------------------------------------------------------------------
// After something was put into a ring or the global queue, and a full fence: wakes an M if nobody looks.
void wake_for_ring(world& w) noexcept;
// As above after something was put into a `next` slot only.
void wake_for_next(world& w) noexcept;
// Of those that look for work. I1
void one_less_spins(world& w) noexcept;
// The M has found work: it no longer counts as looking, and somebody else may have to.
void stop_spinning_with_work(M* m);
// The M has found work without looking elsewhere, and leaves a timer that was armed last.
void leave_timers_with_work(M* m);
// The M has found nothing. Returns with a P when there may be work again; without when the world stops.
void idle(M* m);
// Queues what timers made ready at `now` on m's P, and rouses another M if it is worth it.
void push_batch(M* m, ready_list& due, std::int64_t now);
// m has run dry after such a batch: how long did a turn take?
void end_batch(M* m);
// As idle() for an M that has no P. Returns with one, or when the world stops.
void idle_without_p(M* m);
// Wakes or makes an M for `p`, which nobody holds. It is counted in world::spinning already.
void start_m(world& w, P* p);
// p goes to the idle list, with the world's lock held.
void release_p_locked(world& w, P* p) noexcept;
P* take_idle_p_locked(world& w) noexcept;
void acquire_p(M* m, P* p) noexcept;
// m no longer holds its P, which is returned; null if it had none.
P* let_go_of_p(M* m) noexcept;
// m no longer has the P, which is somebody else's already.
void forget_p(M* m) noexcept;
// m, which has none, gets an idle P. False if there is none.
bool take_idle_p(M* m) noexcept;
// Rouses an M to sleep for timers if none does. The monitor is at most `look_takes_ns` late for that.
inline constexpr std::int64_t look_takes_ns = 100'000;
void fill_timer_post(world& w) noexcept;
// A timer is now the earliest of its P: whoever sleeps for all must not sleep longer.
void timer_came_first(world& w, std::int64_t due) noexcept;
// Makes an idle M, which `make_note` has given a P or a task, go on.
void wake_m(M* m) noexcept;
void wake_everybody(world& w) noexcept;
// Waits until wake_m(m), at most to the deadline; true if woken.
bool sleep_m(M* m, std::int64_t deadline);
// As sleep_m, in the poller: returns for what has become ready too.
bool poll_m(M* m, poller& net, std::int64_t deadline, ready_list& ready);

// ---- maxprocs.cc -------------------------------------------------------------------------
// A P that nobody has yet.
P* make_p(const world& w, int id);
// True if a P is neither idle nor retired, with the world's lock held.
bool some_p_is_held_locked(const world& w) noexcept;

// ---- threads.cc -------------------------------------------------------------------------
// A new OS thread that runs as a spinning M with `p`. Ends the process at the thread limit.
void new_m(world& w, P* p);
void start_template_thread();

// ---- ready.cc ---------------------------------------------------------------------------
// Puts r into the calling M's next slot, wakes somebody if need be.
void push_next(M* m, runnable* r);
// Ring or, when full, the global queue. No wake-up.
void push_ring(M* m, runnable* r);
// To the global queue's end. With a fence and a wake-up.
void push_global(world& w, runnable* r);
void push_global_list(world& w, ready_list& list);
// What the timers made ready: to this M's ring, or global without a P.
enum class rouse { if_worth_it, nobody };
void push_ready_list(M* m, ready_list& list, rouse who = rouse::if_worth_it);
// What a poller made ready, perhaps a thousand fibers at once: behind all that wait already, in order. By an M
// that holds a P. If they went to the ring while older ones stand in the global queue, those would starve.
void push_polled(M* m, ready_list& list);

// ---- run_fiber.cc -----------------------------------------------------------------------
// From the M's own stack: runs r until it leaves.
void execute(M* m, runnable* r);

// m's fiber has no P to run on: leaves it off its stack for `commit` to queue. Returns when it runs again.
void leave_without_p(M* m, wait_reason reason, commit_fn commit);

// ---- lock_thread.cc ---------------------------------------------------------------------
// m may not run r here: sees to it that the right M does. Returns with a P again, or at the end.
void hand_to_locked_m(M* m, G* g);
// m is locked to a parked fiber: gives its P away until that fiber is runnable.
runnable* wait_for_locked_g(M* m);

// ---- blocking.cc ------------------------------------------------------------------------
// p has no M: gives it to one if there is anything to do, else to the idle list.
void hand_off_p(world& w, P* p);

// ---- deadlock.cc ------------------------------------------------------------------------
// Every M is about to sleep for good, with the world's lock held: is that for ever? `perhaps`: look
// again after recheck_ns.
enum class asleep { no, perhaps, yes };
inline constexpr std::int64_t recheck_ns = 10'000'000;
asleep all_asleep_locked(world& w) noexcept;
[[noreturn]] void deadlock_verdict(world& w);
// Does not return from `yes`.
asleep verdict_if_all_asleep(world& w);

// ---- solo.cc ----------------------------------------------------------------------------
// Whether Ms of `w` may skip locks while one of them holds the only P.
bool solo_now(const world& w) noexcept;
// After the world is no longer announced: no plain thread is busy with it from here on.
void wait_for_end_of_solo() noexcept;

std::uint64_t fibers_alive(const world& w) noexcept;

}  // namespace weft::detail
