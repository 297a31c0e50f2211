// The CPU time of this process.
#pragma once
#include <sys/resource.h>

namespace weft::testing {

// In seconds: of all threads, in user code and in the kernel.
inline double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

}  // namespace weft::testing
