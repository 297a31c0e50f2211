// What the in-line parts of the primitives compare their state with.
//
// A free lock is taken by one compare-and-swap in the caller's code, which must stay as fast, and
// in a simulation it must be a scheduling point. So the value to compare with is a word: in a
// simulation one that the state never has, and each operation takes the slow path. A load costs no
// more.
#pragma once
#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define WEFT_IN_LINE_ATOMIC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_IN_LINE_ATOMIC 1
#endif
#endif
#if defined(WEFT_IN_LINE_ATOMIC)
#include <atomic>
#endif

namespace weft::detail {

#if defined(WEFT_IN_LINE_ATOMIC)
// Written while a simulation begins or ends, perhaps beside threads that use a primitive: either
// value is right for them.
template <class T>
class in_line_word {
 public:
  constexpr in_line_word(T v) noexcept : v_(v) {}
  operator T() const noexcept { return v_.load(std::memory_order_relaxed); }
  void operator=(T v) noexcept { v_.store(v, std::memory_order_relaxed); }

 private:
  std::atomic<T> v_;
};
#else
template <class T>
using in_line_word = T;
#endif

inline constexpr std::uint32_t mutex_locked_bit = 4;
inline constexpr std::int64_t wait_group_one = std::int64_t{1} << 32;

struct in_line_words {
  in_line_word<std::uint32_t> mutex_free{0};                   // lock() expects it
  in_line_word<std::uint32_t> mutex_held{mutex_locked_bit};    // unlock() expects it
  in_line_word<std::uint32_t> mutex_busy{mutex_locked_bit};    // from here on try_lock() fails
  in_line_word<std::uint64_t> rw_free{0};                      // a writer's lock() expects it
  in_line_word<std::uint64_t> rw_writing{1};  // a writer's unlock() expects it
  in_line_word<std::int64_t> group_done{wait_group_one};       // below this add() has reached 0
  in_line_word<std::int64_t> group_waits{wait_group_one};      // from here on wait() blocks
  in_line_word<std::uintptr_t> least{1};                       // of a count or pointer that is not 0
  in_line_word<std::uint8_t> once_done{1};                     // a once that has been called
  in_line_word<bool> simulated{false};
};
inline constinit in_line_words in_line;

}  // namespace weft::detail
