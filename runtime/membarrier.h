// A full fence on every thread of the process, for protocols whose frequent side must cost nothing.
#pragma once

namespace weft::detail {

// Returns whether the kernel has it. False under TSan, which does not model it.
bool membarrier_works() noexcept;

// In a forked child, which must register again.
void renew_membarrier_after_fork() noexcept;

// All stores that any thread has made before are visible after this. Only where it works; some
// microseconds.
void fence_all_threads() noexcept;

}  // namespace weft::detail
