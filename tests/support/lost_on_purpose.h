// While this exists, LeakSanitizer ignores what the thread allocates: a test of programs that lose
// memory.
#pragma once
#include "runtime/sanitizer.h"

namespace weft::testing {

class lost_on_purpose {
 public:
#if WEFT_ASAN
  lost_on_purpose() noexcept { __lsan_disable(); }
  ~lost_on_purpose() { __lsan_enable(); }
#else
  lost_on_purpose() noexcept = default;
  ~lost_on_purpose() = default;
#endif
  lost_on_purpose(const lost_on_purpose&) = delete;
  lost_on_purpose& operator=(const lost_on_purpose&) = delete;
};

}  // namespace weft::testing
