// Included before everything else in the sources under test. Inside weft::detail, where these
// sources are, `std` is this namespace: the standard library, except that the operations on its
// atomic variables, fences and mutexes are steps of the engine. Everything else finds ::std.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include "tests/models/engine.h"

namespace weft::detail::std {

using namespace ::std;

template <class T>
class atomic {
 public:
  constexpr atomic() noexcept : atomic(T{}) {}
  constexpr atomic(T first) noexcept : v_{.first = word_of(first)} {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(memory_order o, const char* in = __builtin_FUNCTION()) const noexcept { return of(models::load(v_, o, in)); }
  void store(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    models::store(v_, word_of(v), o, in);
  }
  T exchange(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    return of(models::exchange(v_, word_of(v), o, in));
  }
  T fetch_add(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    return of(models::add(v_, word_of(v), o, in));
  }
  T fetch_sub(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    return of(models::add(v_, 0 - word_of(v), o, in));
  }
  T fetch_and(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    return of(models::bit_and(v_, word_of(v), o, in));
  }
  T fetch_or(T v, memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
    return of(models::bit_or(v_, word_of(v), o, in));
  }
  bool compare_exchange_strong(T& expected, T v, memory_order success, memory_order failure,
                               const char* in = __builtin_FUNCTION()) noexcept {
    return compare_exchange(expected, v, success, failure, false, in);
  }
  bool compare_exchange_weak(T& expected, T v, memory_order success, memory_order failure,
                             const char* in = __builtin_FUNCTION()) noexcept {
    return compare_exchange(expected, v, success, failure, true, in);
  }

  // For futex(2).
  models::variable& in_model() noexcept { return v_; }

 private:
  static constexpr ::std::uint64_t word_of(T v) noexcept {
    if constexpr (::std::is_pointer_v<T>) {
      return v ? reinterpret_cast<::std::uintptr_t>(v) : 0;
    } else {
      return static_cast<::std::uint64_t>(v);
    }
  }
  static T of(::std::uint64_t word) noexcept {
    if constexpr (::std::is_pointer_v<T>) {
      return reinterpret_cast<T>(static_cast<::std::uintptr_t>(word));
    } else {
      return static_cast<T>(word);
    }
  }
  bool compare_exchange(T& expected, T v, memory_order success, memory_order failure, bool may_fail,
                        const char* in) noexcept {
    ::std::uint64_t word = word_of(expected);
    const bool same = models::compare_exchange(v_, word, word_of(v), success, failure, may_fail, in);
    expected = of(word);
    return same;
  }

  mutable models::variable v_;
};

// Flags that belong to one thread at a time: no part of a protocol.
template <class T>
class atomic_ref {
 public:
  explicit atomic_ref(T& v) noexcept : v_(&v) {}
  T load(memory_order) const noexcept { return *v_; }
  void store(T v, memory_order) const noexcept { *v_ = v; }
  T fetch_or(T v, memory_order) const noexcept {
    const T before = *v_;
    *v_ = static_cast<T>(before | v);
    return before;
  }
  T fetch_and(T v, memory_order) const noexcept {
    const T before = *v_;
    *v_ = static_cast<T>(before & v);
    return before;
  }

 private:
  T* v_;
};

inline void atomic_thread_fence(memory_order o, const char* in = __builtin_FUNCTION()) noexcept {
  models::fence(o, in);
}
// Orders what the compiler does. The engine executes steps as they are written.
inline void atomic_signal_fence(memory_order) noexcept {}

class mutex {
 public:
  void lock() noexcept {
    while (!try_lock()) models::yield();
  }
  bool try_lock() noexcept { return !held_.exchange(true, memory_order_acquire); }
  void unlock() noexcept { held_.store(false, memory_order_release); }

 private:
  atomic<bool> held_;
};

}  // namespace weft::detail::std
