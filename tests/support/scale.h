// How often a stress test goes round: less under sanitizers, which cost a factor of five to fifty.
#pragma once
#include <algorithm>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_TEST_SANITIZED 1
#endif
#endif

namespace weft::testing {

#ifdef WEFT_TEST_SANITIZED
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

constexpr int scaled(int n) { return sanitized ? std::max(1, n / 20) : n; }

}  // namespace weft::testing
