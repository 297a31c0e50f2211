// The versions of an atomic_value, without its type.
#pragma once
#include <weft/detail/hazard.h>
#include <weft/mutex.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace weft::detail {

// One version of a value.
struct version {
  explicit version(void (*d)(version*) noexcept) noexcept : destroy(d) {}
  void (*const destroy)(version*) noexcept;
  std::atomic<std::uint32_t> refs{0};  // snapshots that have no hazard slot
  version* next = nullptr;             // in a list of replaced ones
};

// The current version, and replaced versions that a snapshot may show.
class versions {
 public:
  versions() noexcept = default;
  explicit versions(version* first) noexcept : current_(first) {}
  versions(const versions&) = delete;
  versions& operator=(const versions&) = delete;
  ~versions();

  // Returns the current version, which stays until `slot` is null again. If `slot` is set to null,
  // the version is counted in refs instead, or there is no version yet.
  version* acquire(hazard_slot*& slot) const noexcept {
    hazard_page* page = this_hazard_page();
    slot = free_slot(*page);
    if (!slot) [[unlikely]]
      return acquire_counted(*page);
    version* v = protect(current_, *slot);
    if (!v) {
      slot->store(nullptr, std::memory_order_relaxed);
      slot = nullptr;
    }
    return v;
  }

  mutex& writers() noexcept { return writers_; }
  // The functions below need writers() held.
  version* current_locked() const noexcept { return current_.load(std::memory_order_relaxed); }
  // Makes v current. Returns the replaced versions that may be destroyed now: the caller passes
  // them to destroy_all() after it has released the lock.
  version* replace_locked(version* v);
  static void destroy_all(version* list) noexcept;

 private:
  version* acquire_counted(hazard_page& page) const noexcept;

  std::atomic<version*> current_{nullptr};
  mutex writers_;
  version* replaced_ = nullptr;  // under writers_
  unsigned n_replaced_ = 0;  // under writers_
  std::int64_t looked_at_ = INT64_MIN;  // under writers_: when replaced_ was last looked through
};

template <class T>
struct version_of final : version {
  template <class... A>
  explicit version_of(A&&... a)
      : version([](version* v) noexcept { delete static_cast<version_of*>(v); }), value(std::forward<A>(a)...) {}
  const T value;
};

}  // namespace weft::detail
