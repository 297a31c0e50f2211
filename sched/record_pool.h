// Where spawn records come from: free lists per P and size, a shared one behind them.
#pragma once
#include <weft/detail/spawn.h>

#include <array>
#include <cstddef>

namespace weft::detail {

// One P's free lists. Owner only.
class record_pool {
 public:
  static constexpr std::size_t classes = 4;  // 64, 128, 256, 512 bytes; more comes from the heap
  static constexpr std::uint16_t from_heap = classes;

  static constexpr std::uint16_t class_of(std::size_t size) noexcept {
    return size <= 64 ? 0 : size <= 128 ? 1 : size <= 256 ? 2 : size <= 512 ? 3 : from_heap;
  }
  void* take(std::uint16_t size_class) {
    list& l = lists_[size_class];
    if (!l.first) [[unlikely]]
      refill(size_class);
    free_record* r = l.first;
    l.first = r->next;
    --l.count;
    return r;
  }
  void give(void* at, std::uint16_t size_class) noexcept {
    list& l = lists_[size_class];
    auto* r = static_cast<free_record*>(at);
    r->next = l.first;
    l.first = r;
    if (++l.count >= spill_at) [[unlikely]]
      spill(size_class);
  }
  // Moves everything to the shared lists: the P is retired, or its world has ended.
  void give_back_all() noexcept;

  // For plain threads, directly from and to the shared lists.
  static void* take_shared(std::uint16_t size_class);
  static void give_shared(void* at, std::uint16_t size_class) noexcept;

 private:
  struct free_record {
    free_record* next;
  };
  struct list {
    free_record* first = nullptr;
    std::uint32_t count = 0;
  };
  static constexpr std::uint32_t batch = 128, spill_at = 2048;
  void refill(std::uint16_t size_class);
  void spill(std::uint16_t size_class) noexcept;
  friend struct shared_records;

  std::array<list, classes> lists_;
};

// In a forked child: another thread may have held the lock of the shared lists at the fork.
void renew_records_after_fork();

}  // namespace weft::detail
