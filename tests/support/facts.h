// Expectations of concurrent fibers and threads.
#pragma once
#include <atomic>

#include "tests/support/catch.h"

namespace weft::testing {

// The first expectation that was not met. Catch's own are for one thread at a time.
struct broken_fact {
  std::atomic<const char*> what{nullptr};
  std::atomic<const char*> file{nullptr};
  std::atomic<int> line{0};
};
inline broken_fact broken;

inline void expect(bool met, const char* what, const char* file, int line) {
  const char* none = nullptr;
  if (met || !broken.what.compare_exchange_strong(none, what)) return;
  broken.file = file;
  broken.line = line;
}
// Like CHECK, from any fiber or thread.
#define FACT(...) ::weft::testing::expect(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// In the test's own thread, when the others are done.
inline void report_broken_fact() {
  if (const char* what = broken.what.exchange(nullptr)) FAIL_CHECK(broken.file << ":" << broken.line << ": " << what);
  else SUCCEED();
}

}  // namespace weft::testing
