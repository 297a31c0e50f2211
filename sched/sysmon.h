// The monitor: a thread without a P for what no P can do while its fiber does not come back.
#pragma once
#include <atomic>

namespace weft::detail {

struct world;

// `w` runs from now on: the monitor looks after it, until it is told otherwise; then it has let go of it.
void begin_sysmon(world& w);
void end_sysmon() noexcept;

// 1 if the process has a monitor.
int sysmon_threads() noexcept;

extern std::atomic<bool> sysmon_asleep;
void wake_sysmon() noexcept;

// There is work for it again: an M has got a P, stacks have become idle. Any thread; a load while it is awake.
inline void wake_sysmon_if_asleep() noexcept {
  if (sysmon_asleep.load(std::memory_order_relaxed)) [[unlikely]]
    wake_sysmon();
}

}  // namespace weft::detail
