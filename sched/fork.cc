#include "sched/fork.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <mutex>

#include "runtime/borrowed_stacks.h"
#include "runtime/fatal.h"
#include "runtime/membarrier.h"
#include "runtime/stack.h"
#include "sched/current.h"
#include "sched/g_cache.h"
#include "sched/m.h"
#include "sched/plain_thread.h"
#include "sched/record_pool.h"
#include "sched/sysmon.h"
#include "sched/threads.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

constinit std::atomic<std::uint32_t> generation{0};
constinit std::atomic<bool> behind{false};            // this child has not caught up
constinit std::atomic<bool> world_was_running{false};  // in the parent, at the fork
constinit std::atomic<bool> from_a_fiber{false};
constinit std::array<std::atomic<void (*)()>, 8> renewals{};

// In the child, by its only thread. Writes words only.
void note_fork() noexcept {
  generation.fetch_add(1, std::memory_order_relaxed);
  behind.store(true, std::memory_order_relaxed);
  forget_world_after_fork();  // a visitor may be there without a world too
  if (!the_world()) return;
  world_was_running.store(true, std::memory_order_relaxed);
  set_the_world(nullptr);
  M* m = this_m();
  if (!m || !m->g) return;
  from_a_fiber.store(true, std::memory_order_relaxed);
  m->solo.store(false, std::memory_order_relaxed);
  m->in_doubt.store(true, std::memory_order_relaxed);  // the M checks at its next call, and is refused
}

}  // namespace

std::uint32_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

void watch_forks() noexcept {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, note_fork); });
}

void at_fork_renew(void (*renew)()) {
  watch_forks();
  for (auto& place : renewals) {
    void (*none)() = nullptr;
    if (place.compare_exchange_strong(none, renew, std::memory_order_relaxed) || none == renew) return;
  }
  fatal("at_fork_renew: more callers than places");
}

void catch_up_with_fork() {
  if (!behind.load(std::memory_order_relaxed)) return;
  if (from_a_fiber.load(std::memory_order_relaxed)) refuse_forked_fiber();
  behind.store(false, std::memory_order_relaxed);
  forget_plain_threads_after_fork();
  renew_threads_after_fork();
  renew_sysmon_after_fork();
  renew_membarrier_after_fork();
  if (world_was_running.exchange(false, std::memory_order_relaxed)) {
    // Another thread may have held any of their locks at the fork, so these objects are
    // made new and their old contents stay in memory.
    renew_arenas_after_fork();
    renew_borrowed_stacks_after_fork();
    renew_g_cache_after_fork();
    renew_records_after_fork();
  }
  for (const auto& place : renewals)
    if (void (*renew)() = place.load(std::memory_order_relaxed)) renew();
}

bool forked_from_a_fiber() noexcept { return from_a_fiber.load(std::memory_order_relaxed); }

void refuse_forked_fiber() noexcept {
  give_up(
      "fork in a fiber: this child process has no threads to run the world of its parent; "
      "it may call exec or _exit, or fork before run() instead");
}

}  // namespace weft::detail
