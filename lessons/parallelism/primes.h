// Work that is easy to understand and takes its time.
#pragma once

namespace parallelism {

// By trying all divisors, on purpose.
inline bool is_prime(int n) {
  for (int d = 2; d < n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

}  // namespace parallelism
