#include "sched/run_queue.h"

namespace weft::detail {

runnable* run_queue::pop_half(std::uint32_t& n) noexcept {
  std::uint32_t h = head_.load(std::memory_order_relaxed);
  const std::uint32_t t = tail_.load(std::memory_order_relaxed);
  n = (t - h) / 2;
  if (n == 0) return nullptr;
  std::array<runnable*, capacity / 2> batch;
  for (std::uint32_t i = 0; i < n; ++i) batch[i] = slots_[(h + i) % capacity].load(std::memory_order_relaxed);
  // [queue-head] our reads of the slots before the head that frees them
  if (!head_.compare_exchange_strong(h, h + n, std::memory_order_release, std::memory_order_relaxed)) return nullptr;
  for (std::uint32_t i = 0; i + 1 < n; ++i) batch[i]->next = batch[i + 1];
  batch[n - 1]->next = nullptr;
  return batch[0];
}

runnable* run_queue::steal_half(run_queue& mine, std::uint32_t& taken) noexcept {
  taken = 0;
  const std::uint32_t my_tail = mine.tail_.load(std::memory_order_relaxed);
  for (;;) {
    // [queue-head] the slots are read after the head that covers them
    std::uint32_t h = head_.load(std::memory_order_acquire);
    // [queue-tail] the slots as their owner wrote them
    const std::uint32_t t = tail_.load(std::memory_order_acquire);
    std::uint32_t n = t - h;
    n -= n / 2;
    if (n == 0) return nullptr;
    if (n > capacity / 2) continue;  // head and tail are not of one moment
    for (std::uint32_t i = 0; i < n; ++i) {
      runnable* r = slots_[(h + i) % capacity].load(std::memory_order_relaxed);
      mine.slots_[(my_tail + i) % capacity].store(r, std::memory_order_relaxed);
    }
    // [queue-head] our reads of the slots before the head that frees them
    if (!head_.compare_exchange_strong(h, h + n, std::memory_order_acq_rel, std::memory_order_relaxed)) continue;
    taken = n;
    runnable* run_now = mine.slots_[(my_tail + n - 1) % capacity].load(std::memory_order_relaxed);
    // [queue-tail] all but the last become visible in our own ring
    if (n > 1) mine.tail_.store(my_tail + n - 1, std::memory_order_release);
    return run_now;
  }
}

}  // namespace weft::detail
