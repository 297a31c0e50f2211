#include "sched/record_pool.h"

#include <sys/mman.h>

#include <mutex>
#include <new>

#include <weft/detail/spin_lock.h>

#include "runtime/sanitizer.h"

namespace weft::detail {

// Behind the Ps' lists: records that were given back, and fresh memory.
struct shared_records {
  using free_record = record_pool::free_record;

  spin_lock lock;
  std::array<record_pool::list, record_pool::classes> lists;  // under lock
  std::byte* fresh = nullptr;                                 // under lock
  std::size_t fresh_left = 0;                                 // under lock

  static constexpr std::size_t size_of(std::uint16_t c) noexcept { return std::size_t{64} << c; }

  // Moves up to n records of class c to `to`.
  void take_locked(std::uint16_t c, std::uint32_t n, record_pool::list& to) {
    for (; n > 0; --n) {
      free_record* r = lists[c].first;
      if (r) {
        lists[c].first = r->next;
        --lists[c].count;
      } else {
        r = carve_locked(size_of(c));
      }
      r->next = to.first;
      to.first = r;
      ++to.count;
    }
  }
  free_record* carve_locked(std::size_t size) {
    constexpr std::size_t slab = 256 << 10;
    if (fresh_left < size) {
      void* at = mmap(nullptr, slab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at == MAP_FAILED) throw std::bad_alloc();
#if WEFT_ASAN
      __lsan_register_root_region(at, slab);
#endif
      fresh = static_cast<std::byte*>(at);
      fresh_left = slab;
    }
    auto* r = reinterpret_cast<free_record*>(fresh);
    fresh += size;
    fresh_left -= size;
    return r;
  }
};

namespace {

shared_records& shared() {
  static auto* s = new shared_records;  // never destroyed: threads may outlive main
  return *s;
}

}  // namespace

void record_pool::refill(std::uint16_t size_class) {
  shared_records& s = shared();
  const std::lock_guard hold(s.lock);
  s.take_locked(size_class, batch, lists_[size_class]);
}

void record_pool::spill(std::uint16_t size_class) noexcept {
  list& mine = lists_[size_class];
  shared_records& s = shared();
  const std::lock_guard hold(s.lock);
  record_pool::list& theirs = s.lists[size_class];
  while (mine.count > spill_at / 2) {
    free_record* r = mine.first;
    mine.first = r->next;
    --mine.count;
    r->next = theirs.first;
    theirs.first = r;
    ++theirs.count;
  }
}

void record_pool::give_back_all() noexcept {
  shared_records& s = shared();
  const std::lock_guard hold(s.lock);
  for (std::size_t c = 0; c < classes; ++c) {
    while (free_record* r = lists_[c].first) {
      lists_[c].first = r->next;
      r->next = s.lists[c].first;
      s.lists[c].first = r;
      ++s.lists[c].count;
    }
    lists_[c].count = 0;
  }
}

void* record_pool::take_shared(std::uint16_t size_class) {
  shared_records& s = shared();
  const std::lock_guard hold(s.lock);
  list one;
  s.take_locked(size_class, 1, one);
  return one.first;
}

void record_pool::give_shared(void* at, std::uint16_t size_class) noexcept {
  shared_records& s = shared();
  const std::lock_guard hold(s.lock);
  auto* r = static_cast<free_record*>(at);
  r->next = s.lists[size_class].first;
  s.lists[size_class].first = r;
  ++s.lists[size_class].count;
}

void renew_records_after_fork() { ::new (static_cast<void*>(&shared())) shared_records; }

}  // namespace weft::detail
