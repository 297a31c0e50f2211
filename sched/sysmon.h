// The monitor: a thread without a P for what no P should do while it has fibers to run. It sleeps
// for good while there is nothing to do.
#pragma once

namespace weft::detail {

// Stacks have become idle: in a while the monitor gives their memory back. Any thread; cheap.
void sysmon_has_work() noexcept;

}  // namespace weft::detail
