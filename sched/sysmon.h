// The monitor: a thread without a P, for work that no P can do while its fiber does not return.
#pragma once
#include <atomic>

namespace weft::detail {

struct world;

// Monitors `w`, which runs from now on, until end_sysmon(), which waits for a look under way.
void begin_sysmon(world& w);
void end_sysmon() noexcept;

// In a forked child: the thread exists only in the parent.
void renew_sysmon_after_fork();

// 1 if the process has a monitor.
int sysmon_threads() noexcept;

extern std::atomic<bool> sysmon_asleep;
void wake_sysmon() noexcept;

// The monitor has work again: an M has got a P, or stacks have become idle. Any thread. Costs one
// load while it is awake.
inline void wake_sysmon_if_asleep() noexcept {
  if (sysmon_asleep.load(std::memory_order_relaxed)) [[unlikely]]
    wake_sysmon();
}

}  // namespace weft::detail
