// A variable that fibers use without any order among them: what the chapter calls a data race.
//
// In C++ a program with a data race has no meaning at all, so nothing could be shown by one. Here
// each access is a relaxed atomic one: it cannot tear and means what it says, but it orders
// nothing, and between a read and the write that follows another fiber may run. So the effect of
// the race is there and the program is defined. Under ThreadSanitizer the same sources are built
// once more with plain variables, and a test expects that build to be reported.
//
// ThreadSanitizer finds a race between threads. Fibers that take turns on one thread are ordered by
// the switch from one to the other; so the twin's first accesses are slow, and another P has the
// time to take up the other fiber.
#pragma once
#include <atomic>

#ifdef LESSON_REAL_RACE
#include <ctime>
#endif

namespace lesson {

#ifdef LESSON_REAL_RACE

template <class T>
class cell {
 public:
  cell() = default;
  explicit cell(T v) : value_(v) {}
  void store(T v) {
    be_slow();
    value_ = v;
  }
  T load() const {
    be_slow();
    return value_;
  }

 private:
  static void be_slow() {
    static std::atomic<int> left{100};
    if (left.fetch_sub(1, std::memory_order_relaxed) <= 0) return;
    const timespec a_moment{.tv_sec = 0, .tv_nsec = 2'000'000};
    nanosleep(&a_moment, nullptr);
  }
  T value_{};
};

#else

template <class T>
class cell {
 public:
  cell() = default;
  explicit cell(T v) : value_(v) {}
  void store(T v) { value_.store(v, std::memory_order_relaxed); }
  T load() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{};
};

#endif

// Reads and writes as a T does.
template <class T>
class racy {
 public:
  racy() = default;
  racy(T v) : cell_(v) {}  // NOLINT: as a T
  racy(const racy& o) : racy(static_cast<T>(o)) {}
  racy& operator=(const racy& o) { return *this = static_cast<T>(o); }
  racy& operator=(T v) {
    cell_.store(v);
    return *this;
  }
  operator T() const { return cell_.load(); }  // NOLINT: as a T

 private:
  cell<T> cell_;
};

}  // namespace lesson
