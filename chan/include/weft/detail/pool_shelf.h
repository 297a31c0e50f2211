// What a pool keeps for one P: a place for one object, and a shelf for more.
#pragma once
#include <weft/detail/fiber.h>
#include <weft/detail/spin_lock.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weft::detail {

// The objects of one P. Each call is one section, with the caller's M (null on a plain thread).
template <class T>
class alignas(128) pool_shelf {
 public:
  using objects = std::vector<std::unique_ptr<T>>;

  ~pool_shelf() { delete first_.load(std::memory_order_relaxed); }

  // For other Ps, without a lock: what it says may be past.
  bool seems_empty() const noexcept {
    return !first_.load(std::memory_order_relaxed) && size_.load(std::memory_order_relaxed) == 0;
  }
  // Takes the youngest object; old objects last. Null if there is none.
  T* take(m_face* m) noexcept {
    const section hold(lock_, m);
    if (T* const t = first_.load(std::memory_order_relaxed)) [[likely]] {
      first_.store(nullptr, std::memory_order_relaxed);
      return t;
    }
    return take_from_shelf_locked();
  }
  void put(m_face* m, std::unique_ptr<T>&& t) {
    const section hold(lock_, m);
    if (!first_.load(std::memory_order_relaxed)) [[likely]]
      first_.store(t.release(), std::memory_order_relaxed);
    else put_on_shelf_locked(std::move(t));
  }
  // Ends a period. Returns the objects that were old for the whole period.
  objects age(m_face* m) {
    objects gone;
    const section hold(lock_, m);
    if (T* const t = first_.load(std::memory_order_relaxed)) {
      current_.emplace_back(t);
      first_.store(nullptr, std::memory_order_relaxed);
    }
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
  [[gnu::noinline]] T* take_from_shelf_locked() noexcept {
    objects& from = current_.empty() ? old_ : current_;
    if (from.empty()) return nullptr;
    T* const t = from.back().release();
    from.pop_back();
    count_locked();
    return t;
  }
  [[gnu::noinline]] void put_on_shelf_locked(std::unique_ptr<T> t) {
    current_.push_back(std::move(t));
    count_locked();
  }
  void count_locked() noexcept { size_.store(current_.size() + old_.size(), std::memory_order_relaxed); }

  spin_lock lock_;
  std::atomic<std::uint32_t> uses_{0};
  std::atomic<T*> first_{nullptr};    // written under lock_
  std::atomic<std::size_t> size_{0};  // of both lists; written under lock_
  objects current_, old_;             // under lock_
};

}  // namespace weft::detail
