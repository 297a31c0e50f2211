// Work that is easy to understand and takes long.
#pragma once

namespace parallelism {

// Tries all divisors, so that it takes long.
inline bool is_prime(int n) {
  for (int d = 2; d < n; ++d)
    if (n % d == 0) return false;
  return n >= 2;
}

}  // namespace parallelism
