// A value that is read far more often than it is replaced. Readers take no lock and never wait.
// Go's atomic.Value.
//
//   weft::atomic_value<config> current(read_config());
//   auto c = current.load();                 // a snapshot: c->port, *c
//   current.store(read_config());            // c still shows the old version
//
// load() returns a snapshot: the value at one moment. It never changes, and it lives as long as the
// snapshot. A store makes a new version (copy-on-write), so two readers may see different versions
// for a short time, each of them whole.
//
// A load costs a few plain loads and stores. A store allocates; every few stores one spends several
// microseconds to find the old versions that no snapshot shows, and destroys them. Under a stream
// of stores up to 64 old versions wait for that. The rest is destroyed with the atomic_value.
//
// A change that depends on the old value is a loop:
//
//   for (;;) {
//     const auto old = current.load();
//     config next = old;                            // a copy
//     next.port = 8080;
//     if (current.compare_and_swap(old, next)) break;  // false: another store came first
//   }
//
// For a value that is written as often as it is read, a weft::mutex is cheaper.
#pragma once
#include <weft/detail/versions.h>
#include <weft/mutex.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace weft {

template <class T>
class atomic_value;

// The value that atomic_value<T>::load() read. Behaves as a pointer to a const T; null if no value
// had been stored. May be copied, moved, kept and destroyed in any fiber or thread. The first seven
// snapshots of a thread cost no shared write; each further one increments a counter that other
// threads share.
template <class T>
class snapshot {
 public:
  snapshot() noexcept = default;
  snapshot(const snapshot& other) noexcept : v_(other.v_) {
    if (v_) v_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  snapshot(snapshot&& other) noexcept
      : v_(std::exchange(other.v_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}
  snapshot& operator=(snapshot other) noexcept {
    std::swap(v_, other.v_);
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~snapshot() {
    if (slot_) slot_->store(nullptr, std::memory_order_release);  // [hazard] H4
    else if (v_) v_->refs.fetch_sub(1, std::memory_order_release);  // [version] our reads before its end
  }

  explicit operator bool() const noexcept { return v_ != nullptr; }
  const T& operator*() const noexcept { return v_->value; }
  const T* operator->() const noexcept { return &v_->value; }
  const T* get() const noexcept { return v_ ? &v_->value : nullptr; }
  // Copies the value: `config c = v.load();`. Must not be called on a null snapshot.
  operator T() const { return v_->value; }
  // Returns true if both show the same version, or both are null.
  friend bool operator==(const snapshot& a, const snapshot& b) noexcept { return a.v_ == b.v_; }

 private:
  friend class atomic_value<T>;
  snapshot(detail::version* v, detail::hazard_slot* slot) noexcept
      : v_(static_cast<detail::version_of<T>*>(v)), slot_(slot) {}

  detail::version_of<T>* v_ = nullptr;
  detail::hazard_slot* slot_ = nullptr;
};

// Holds one T. load() may be called from anywhere but a signal handler. Writers block each other on
// a weft::mutex.
template <class T>
class atomic_value {
  using node = detail::version_of<T>;

 public:
  // Holds no value: load() returns a null snapshot until the first store.
  atomic_value() noexcept = default;
  explicit atomic_value(T first) : versions_(new node(std::move(first))) {}
  atomic_value(const atomic_value&) = delete;
  atomic_value& operator=(const atomic_value&) = delete;

  // Returns a snapshot of the current value. Never blocks, never allocates. Go's Load.
  snapshot<T> load() const noexcept {
    detail::hazard_slot* slot = nullptr;
    detail::version* v = versions_.acquire(slot);
    return snapshot<T>(v, slot);
  }
  // Replaces the value. Blocks while another writer stores, never for a reader. Throws
  // std::bad_alloc. Go's Store.
  void store(T next) {
    auto made = std::make_unique<node>(std::move(next));
    std::unique_lock hold(versions_.writers());
    put(made.release(), hold);
  }
  // Replaces the value and returns a snapshot of the value before. Blocks and throws as store().
  // Go's Swap.
  snapshot<T> swap(T next) {
    auto made = std::make_unique<node>(std::move(next));
    std::unique_lock hold(versions_.writers());
    detail::version* before = versions_.current_locked();
    if (before) before->refs.fetch_add(1, std::memory_order_relaxed);
    snapshot<T> was(before, nullptr);
    put(made.release(), hold);
    return was;
  }
  // Stores `next` if the current value is equal to `expected`. Returns true if it did. Blocks and
  // throws as store(). Go's CompareAndSwap.
  bool compare_and_swap(const T& expected, T next)
    requires requires(const T& t) { bool(t == t); }
  {
    auto made = std::make_unique<node>(std::move(next));
    std::unique_lock hold(versions_.writers());
    const auto* now = static_cast<node*>(versions_.current_locked());
    if (!now || !(now->value == expected)) return false;
    put(made.release(), hold);
    return true;
  }
  // Stores `next` if `expected` still shows the current version. Returns true if it did. For a
  // copy-on-write loop: load, copy, change the copy, try to store it. Blocks and throws as store().
  bool compare_and_swap(const snapshot<T>& expected, T next) {
    auto made = std::make_unique<node>(std::move(next));
    std::unique_lock hold(versions_.writers());
    if (versions_.current_locked() != expected.v_) return false;
    put(made.release(), hold);
    return true;
  }

 private:
  void put(node* made, std::unique_lock<mutex>& hold) {
    detail::version* done_with = versions_.replace_locked(made);
    hold.unlock();
    detail::versions::destroy_all(done_with);
  }

  detail::versions versions_;
};

}  // namespace weft
