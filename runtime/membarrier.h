// A full fence on every thread of the process, for protocols whose frequent side must cost nothing.
#pragma once

namespace weft::detail {

// Whether the kernel gives it. Not under TSan, which could not see it.
bool membarrier_works() noexcept;

// All that each thread has stored before is seen after this. Only where it works; some microseconds.
void fence_all_threads() noexcept;

}  // namespace weft::detail
