// A variable that fibers use without any order among them: what the chapter calls a data race.
//
// In C++ a program with a data race has no meaning at all, so nothing could be shown by one. Here each
// access is a relaxed atomic one: it cannot tear and means what it says, but it orders nothing, and between a
// read and the write that follows somebody else may come. So the effect of the race is there and the
// program is defined. Under ThreadSanitizer the same sources are built once more with plain variables, and a
// test expects that build to be reported.
#pragma once
#ifdef LESSON_REAL_RACE

namespace lesson {
template <class T>
using racy = T;
}

#else

#include <atomic>

namespace lesson {

template <class T>
class racy {
 public:
  racy() = default;
  racy(T v) : value_(v) {}  // NOLINT: as a T
  racy(const racy& o) : value_(static_cast<T>(o)) {}
  racy& operator=(const racy& o) { return *this = static_cast<T>(o); }
  racy& operator=(T v) {
    value_.store(v, std::memory_order_relaxed);
    return *this;
  }
  operator T() const { return value_.load(std::memory_order_relaxed); }  // NOLINT: as a T

 private:
  std::atomic<T> value_{};
};

}  // namespace lesson

#endif
