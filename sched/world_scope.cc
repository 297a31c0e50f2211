#include "sched/world_scope.h"

#include <sched.h>

#include <atomic>

// Note [doors]: a visitor counts itself and then reads the world; the world is hidden and then its
// visitors are counted. Both are sequentially consistent, so one of the two sees the other. A
// visitor releases its work in the world with its count, and the world acquires that before it
// ends.

namespace weft::detail {
namespace {

constinit std::atomic<world*> open_world{nullptr};
constinit std::atomic<int> visitors{0};

}  // namespace

world* world_scope::enter() noexcept {
  visitors.fetch_add(1, std::memory_order_seq_cst);   // [doors]
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [doors] the count, before what is hidden is read
  return open_world.load(std::memory_order_seq_cst);  // [doors]
}

void world_scope::leave() noexcept { visitors.fetch_sub(1, std::memory_order_release); }  // [doors]

void publish_world(world& w) noexcept { open_world.store(&w, std::memory_order_seq_cst); }  // [doors]

void unpublish_world() noexcept {
  open_world.store(nullptr, std::memory_order_seq_cst);  // [doors]
  wait_for_visitors();
}

void forget_world_after_fork() noexcept {
  open_world.store(nullptr, std::memory_order_relaxed);
  visitors.store(0, std::memory_order_relaxed);
}

void wait_for_visitors() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // [doors] what was hidden, before the count is read
  while (visitors.load(std::memory_order_seq_cst) != 0) sched_yield();  // [doors]
}

}  // namespace weft::detail
