// Pools of objects for reuse. Go's sync.Pool.
//
//   static weft::pool<buffer> buffers([] { return std::make_unique<buffer>(); });
//   auto b = buffers.get();
//   ... buffers.put(std::move(b));
//
// For objects that are expensive to make and are needed for a short time by many fibers: buffers,
// encoders, parsers. Not for objects that must be ended in order, as connections, since the pool
// may destroy any of its objects at any time.
//
// An object keeps its state: get() returns it as put() got it, so its user resets it. An object
// that grew very large is better destroyed than put: a pool has no bound on bytes. An object that
// is not put back is destroyed by its unique_ptr, and the pool does not miss it.
//
// A get() that finds an object allocates nothing, and holds a lock for a few instructions, with one
// P none; measure before you replace a plain `new` by a pool, since the allocator has caches for
// each thread too.
//
// Each P has a place for one object and a shelf for more, so that a fiber usually gets an object
// that was put on the same P and is still in its cache. A get() whose shelf is empty takes from the
// other shelves. The pool destroys objects that stay unused for two periods: the end of a period
// marks the objects on the shelves as old, the end of the next destroys the objects that are still
// old. put() reads the clock at every 256th call. A pool without calls therefore keeps its objects
// until trim() or its destructor.
//
// All functions may be called from fibers and plain threads, not from signal handlers. The pool
// must outlive the calls; what get() returned may outlive the pool.
#pragma once
#include <weft/clock.h>
#include <weft/detail/chrono.h>
#include <weft/detail/pool_shelf.h>
#include <weft/detail/stripe.h>
#include <weft/errors.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace weft {

// A pool of T.
template <class T>
class pool {
 public:
  // The period of a pool that is constructed without one.
  static constexpr duration default_period = std::chrono::minutes(1);

  // Constructs a pool whose get() returns null when the pool is empty.
  pool() : pool(nullptr) {}
  explicit pool(std::nullptr_t, duration period = default_period) : period_ns_(checked(period)) {}
  // Constructs a pool whose get() calls make() when the pool is empty. make() returns
  // std::unique_ptr<T> or T, and may be called by several fibers at the same time. With the period
  // duration::max() objects stay until trim(). Throws weft::panic if it is negative. Go's New.
  template <class Make>
    requires std::is_invocable_v<std::decay_t<Make>&>
  explicit pool(Make&& make, duration period = default_period) : period_ns_(checked(period)) {
    using made = std::invoke_result_t<std::decay_t<Make>&>;
    make_ = [make = std::make_shared<std::decay_t<Make>>(std::forward<Make>(make))]() -> std::unique_ptr<T> {
      if constexpr (std::is_convertible_v<made, std::unique_ptr<T>>) return (*make)();
      else return std::make_unique<T>((*make)());
    };
  }
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  // Returns one of the pool's objects, any of them; if there is none, make()'s result; without
  // make, null. Blocks only if make() does. Throws what make() throws. Go's Get.
  std::unique_ptr<T> get() {
    const detail::place here = detail::current_place();
    T* t = shelves_[here.stripe & mask_].take(here.m);
    if (!t) [[unlikely]]
      t = take_from_others(here);
    if (!t && make_) return make_();
    return std::unique_ptr<T>(t);
  }
  // Gives the object to the pool for a later get(). Ignores null. Never blocks. Go's Put.
  void put(std::unique_ptr<T> t) {
    if (!t) return;
    const detail::place here = detail::current_place();
    shelf& mine = shelves_[here.stripe & mask_];
    if (mine.next_use() % look_at_clock_every == look_at_clock_every - 1) [[unlikely]] {
      trim_when_due();
      put_after_trim(std::move(t));
    } else {
      mine.put(here.m, std::move(t));
    }
  }
  // Ends a period now: destroys the old objects, and marks the others as old.
  void trim() {
    // Destroying what is old may suspend, so the M is read again for each shelf.
    for (unsigned i = 0; i <= mask_; ++i)
      if (!shelves_[i].seems_empty()) (void)shelves_[i].age(detail::this_m_face());
  }

 private:
  using shelf = detail::pool_shelf<T>;
  static constexpr std::uint32_t look_at_clock_every = 256;

  [[gnu::noinline]] T* take_from_others(detail::place here) noexcept {
    for (unsigned i = 1; i <= mask_; ++i) {
      shelf& other = shelves_[(here.stripe + i) & mask_];
      if (other.seems_empty()) continue;
      if (T* const t = other.take(here.m)) return t;
    }
    return nullptr;
  }
  // The objects that the trim has destroyed may have suspended the caller.
  void put_after_trim(std::unique_ptr<T> t) {
    const detail::place here = detail::current_place();
    shelves_[here.stripe & mask_].put(here.m, std::move(t));
  }
  void trim_when_due() {
    const std::int64_t time = now().time_since_epoch().count();
    std::int64_t due = due_.load(std::memory_order_relaxed);
    if (time < due || !due_.compare_exchange_strong(due, end_of_period(time), std::memory_order_relaxed)) return;
    trim();
    if (time - due >= period_ns_) trim();  // a second period has passed without a call
  }
  std::int64_t end_of_period(std::int64_t time) const noexcept {
    return period_ns_ > INT64_MAX - time ? INT64_MAX : time + period_ns_;
  }
  static std::int64_t checked(duration period) {
    if (period.count() < 0) throw panic("pool: negative period");
    return period.count();
  }

  const std::int64_t period_ns_;
  std::function<std::unique_ptr<T>()> make_;
  const unsigned mask_ = detail::stripe_count() - 1;
  std::unique_ptr<shelf[]> shelves_{new shelf[mask_ + 1]};
  std::atomic<std::int64_t> due_{end_of_period(now().time_since_epoch().count())};
};

}  // namespace weft
