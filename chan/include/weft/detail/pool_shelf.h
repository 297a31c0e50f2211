// What a pool keeps for one P: a place for one object, and a shelf for more.
#pragma once
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weft::detail {

// The objects of one P.
template <class T>
class alignas(128) pool_shelf {
 public:
  using objects = std::vector<std::unique_ptr<T>>;

  ~pool_shelf() { delete first_.load(std::memory_order_relaxed); }

  // For the P's own fibers. Exchanges without a load before it: a load after a locked instruction
  // on the same line waits as long as the exchange itself.
  T* take_first() noexcept { return first_.exchange(nullptr, std::memory_order_acquire); }  // [pool]
  // For other Ps: reads first, so that an empty place is not written.
  T* steal_first() noexcept { return first_.load(std::memory_order_relaxed) ? take_first() : nullptr; }
  // False if the place is taken.
  bool put_first(T* t) noexcept {
    T* none = nullptr;
    // [pool] the object before the pointer to it
    return first_.compare_exchange_strong(none, t, std::memory_order_release, std::memory_order_relaxed);
  }
  // Takes the youngest object from the shelf; old objects last.
  std::unique_ptr<T> take() {
    if (size_.load(std::memory_order_relaxed) == 0) return nullptr;
    const std::lock_guard hold(lock_);
    objects& from = current_.empty() ? old_ : current_;
    if (from.empty()) return nullptr;
    std::unique_ptr<T> t = std::move(from.back());
    from.pop_back();
    count_locked();
    return t;
  }
  void put(std::unique_ptr<T> t) {
    const std::lock_guard hold(lock_);
    current_.push_back(std::move(t));
    count_locked();
  }
  // Ends a period. Returns the objects that were old for the whole period.
  objects age() {
    std::unique_ptr<T> first(steal_first());
    objects gone;
    const std::lock_guard hold(lock_);
    if (first) current_.push_back(std::move(first));
    gone.swap(old_);
    old_.swap(current_);
    count_locked();
    return gone;
  }
  // Counts the calls of the owner. Approximate: concurrent increments may be lost.
  std::uint32_t next_use() noexcept {
    const std::uint32_t n = uses_.load(std::memory_order_relaxed);
    uses_.store(n + 1, std::memory_order_relaxed);
    return n;
  }

 private:
  void count_locked() noexcept { size_.store(current_.size() + old_.size(), std::memory_order_relaxed); }

  std::atomic<T*> first_{nullptr};
  std::atomic<std::size_t> size_{0};  // of both lists; written under lock_
  std::atomic<std::uint32_t> uses_{0};
  spin_lock lock_;
  objects current_, old_;             // under lock_
};

// Note [pool]: put() stores the pointer with release, in the first place or under the shelf's lock;
// get() acquires it.

}  // namespace weft::detail
