// Objects that are kept for the next who needs one. Go's sync.Pool.
//
// Each P has a place for one object and a shelf for more, so that a fiber mostly gets back what was
// put on the same P, still warm; an empty shelf is helped out by the others. What lies unused for
// two periods is dropped: at the end of one period what is on the shelves becomes old, at the end
// of the next what is still old goes. The pool looks at the clock now and then as it is used, so one
// that nobody uses any more keeps what it has until trim() or its end.
#pragma once
#include <weft/clock.h>
#include <weft/detail/spin_lock.h>
#include <weft/detail/stripe.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {
namespace detail {

// What one P keeps.
template <class T>
class alignas(128) pool_shelf {
 public:
  using objects = std::vector<std::unique_ptr<T>>;

  ~pool_shelf() { delete first_.load(std::memory_order_relaxed); }

  // For whoever is here: not looked at first, for a load of what was just locked waits as long as the
  // exchange does.
  T* take_first() noexcept { return first_.exchange(nullptr, std::memory_order_acquire); }  // [pool]
  // For the others, who should not disturb an empty place.
  T* steal_first() noexcept { return first_.load(std::memory_order_relaxed) ? take_first() : nullptr; }
  // False if the place is taken.
  bool put_first(T* t) noexcept {
    T* none = nullptr;
    // [pool] the object before the pointer to it
    return first_.compare_exchange_strong(none, t, std::memory_order_release, std::memory_order_relaxed);
  }
  // From the shelf: the youngest, and old ones last.
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
  // Ends a period. Returns what has been old for all of it.
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
  // How often the owner has been here; roughly, for nobody else's stores are waited for.
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

// Note [pool]: who puts an object releases it with its pointer, in the first place or with the shelf's
// lock; who gets it acquires.

}  // namespace detail

template <class T>
class pool {
 public:
  static constexpr duration default_period = std::chrono::minutes(1);

  // Without `make`: get() from an empty pool is null.
  pool() : pool(nullptr) {}
  explicit pool(std::nullptr_t, duration period = default_period) : period_ns_(period.count()) {}
  // `make` returns a std::unique_ptr<T> or a T; it is called by whoever finds the pool empty, perhaps by
  // several at once. Go's New.
  template <class Make>
    requires std::is_invocable_v<std::decay_t<Make>&>
  explicit pool(Make&& make, duration period = default_period) : period_ns_(period.count()) {
    using made = std::invoke_result_t<std::decay_t<Make>&>;
    make_ = [make = std::make_shared<std::decay_t<Make>>(std::forward<Make>(make))]() -> std::unique_ptr<T> {
      if constexpr (std::is_convertible_v<made, std::unique_ptr<T>>) return (*make)();
      else return std::make_unique<T>((*make)());
    };
  }
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  // An object that was put in, any of them; if there is none, a new one; else null.
  std::unique_ptr<T> get() {
    const unsigned here = detail::current_stripe() & mask_;
    if (T* t = shelves_[here].take_first()) [[likely]]
      return std::unique_ptr<T>(t);
    if (auto t = take_from_shelves(here)) return t;
    return make_ ? make_() : nullptr;
  }
  // Keeps the object for a later get(). Null is ignored.
  void put(std::unique_ptr<T> t) {
    if (!t) return;
    shelf& mine = shelves_[detail::current_stripe() & mask_];
    if (mine.next_use() % look_at_clock_every == look_at_clock_every - 1) [[unlikely]]
      trim_when_due();
    if (mine.put_first(t.get())) [[likely]]
      t.release();
    else mine.put(std::move(t));
  }
  // Ends a period now: destroys what is old, and what lies in the pool becomes old.
  void trim() {
    for (unsigned i = 0; i <= mask_; ++i) shelves_[i].age();
  }

 private:
  using shelf = detail::pool_shelf<T>;
  static constexpr std::uint32_t look_at_clock_every = 256;

  std::unique_ptr<T> take_from_shelves(unsigned here) {
    if (auto t = shelves_[here].take()) return t;
    for (unsigned i = 1; i <= mask_; ++i) {
      shelf& other = shelves_[(here + i) & mask_];
      if (auto t = other.take()) return t;
      if (T* t = other.steal_first()) return std::unique_ptr<T>(t);
    }
    return nullptr;
  }
  void trim_when_due() {
    const std::int64_t time = now().time_since_epoch().count();
    std::int64_t due = due_.load(std::memory_order_relaxed);
    if (time < due || !due_.compare_exchange_strong(due, time + period_ns_, std::memory_order_relaxed)) return;
    trim();
    if (time - due >= period_ns_) trim();  // nobody came for a second period
  }

  const std::int64_t period_ns_;
  std::function<std::unique_ptr<T>()> make_;
  const unsigned mask_ = detail::stripe_count() - 1;
  std::unique_ptr<shelf[]> shelves_{new shelf[mask_ + 1]};
  std::atomic<std::int64_t> due_{now().time_since_epoch().count() + period_ns_};
};

}  // namespace weft
