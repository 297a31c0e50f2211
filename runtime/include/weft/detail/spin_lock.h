// A lock for sections of tens of nanoseconds: one exchange to take, one store to give back.
//
// Refused: a futex mutex. It needs a second read-modify-write to unlock (7 ns where the channel
// operation around it takes 10), and its sleep is never reached when sections are this short.
// A holder that the kernel has put off its CPU is waited for by yielding, then by short sleeps.
#pragma once
#include <weft/detail/requirements.h>

#include <atomic>
#include <cstdint>

namespace weft::detail {

class spin_lock {
 public:
  constexpr spin_lock() noexcept = default;
  spin_lock(const spin_lock&) = delete;
  spin_lock& operator=(const spin_lock&) = delete;

  void lock() noexcept {
    // [spin] the last holder's stores before ours
    if (held_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      lock_slow();
  }
  bool try_lock() noexcept {
    // [spin] as lock()
    return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
  }
  void unlock() noexcept { held_.store(false, std::memory_order_release); }  // [spin]

 private:
  void lock_slow() noexcept;

  std::atomic<bool> held_{false};
};

// Note [spin]: a holder's stores are before its releasing store of false. The exchange that reads
// this false acquires them. The exchange never reorders with what the section does.

// For the body of a busy wait: gives the core's resources to its other thread.
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace weft::detail
