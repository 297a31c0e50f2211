// What the scheduler's sources refer to and no scenario uses: other rooms, the kernel, simulation.
// A function that a scenario must not reach fails the schedule.
#include <weft/go.h>

#include "runtime/cpu_count.h"
#include "runtime/membarrier.h"
#include "sched/chaos.h"
#include "sched/diagnosis_calls.h"
#include "sched/fork.h"
#include "sched/g_cache.h"
#include "sched/no_suspend.h"
#include "sched/retire_ms.h"
#include "sched/simulated.h"
#include "sched/spawn.h"
#include "sched/thread_state.h"
#include "sched/threads.h"
#include "sched/timeline.h"
#include "sched/world.h"
#include "tests/models/engine.h"

namespace weft::detail {

namespace {
[[noreturn]] void unexpected() noexcept { models::fail("the scenario has reached code that it does not model"); }
}  // namespace

// ---- nothing to do ------------------------------------------------------------------------
void g_cache::give_back_all() noexcept {}
void record_pool::give_back_all() noexcept {}
idle_gs count_idle_gs(const stack_arena&) noexcept { return {}; }
std::size_t rest_idle_gs(const stack_arena&, std::size_t) { return 0; }
bool retire_idle_ms(world&) noexcept { return true; }
void timeline_watch(P&) {}
void timeline_close(P&, time_point) {}
void timeline_enter_slow(M*) {}
void timeline_leave_slow(M*) {}
void timeline_without_p_ends(M*) {}
int helper_threads() noexcept { return 0; }
std::int64_t quiet_helper_expected_since() noexcept { return 0; }
bool is_kernel_worker(long) noexcept { return false; }
int last_cpu(long) noexcept { return 0; }
// The test program has one.
void for_each_thread(const std::function<void(long)>& f) { f(1); }
bool forked_from_a_fiber() noexcept { return false; }
std::uint32_t fork_generation() noexcept { return 0; }
bool chaos_shuffle(M*) { return false; }
void start_template_thread() {}
int cpu_count() noexcept { return 1; }
int default_maxprocs() { return 1; }
const char* to_string(wait_reason) noexcept { return ""; }

// ---- not in a simulation --------------------------------------------------------------------
G* sim_self() noexcept { return nullptr; }
void sim_point(sim_op, const void*) noexcept {}
void sim_ready(G*) noexcept { unexpected(); }
bool sim_sleep_until(std::int64_t) { return false; }
bool sim_arm_timer(timer_node*) { return false; }
int sim_maxprocs(int) noexcept { return 0; }

// ---- not reached ------------------------------------------------------------------------------
void refuse_forked_fiber() noexcept { unexpected(); }
void impossible(const char*, const G&) noexcept { unexpected(); }
void suspend_slow(M*, const char*) { unexpected(); }
void park(wait_reason, commit_fn, void*) { unexpected(); }
G* self() noexcept { unexpected(); }
bool in_fiber() noexcept { return true; }
void plain_thread_woken() noexcept { unexpected(); }

}  // namespace weft::detail

namespace weft {
void yield() { detail::unexpected(); }
}  // namespace weft
