#include "runtime/stack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#include "runtime/fatal.h"
#include "runtime/sanitizer.h"

namespace weft::detail {
namespace {

#if !defined(MADV_GUARD_INSTALL)
constexpr int MADV_GUARD_INSTALL = 102;
#endif

// How many more guards may be made of mappings: two mappings a guard, half of the limit for others.
std::int64_t mapping_budget() {
  char text[32] = {};
  std::int64_t limit = 65'530;
  if (const int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC); fd >= 0) {
    if (read(fd, text, sizeof text - 1) > 0) limit = std::atoll(text);
    close(fd);
  }
  return limit / 4;
}

void guard_by_mapping(std::byte* page) {
  static std::atomic<std::int64_t> left{mapping_budget()};
  if (left.fetch_sub(1, std::memory_order_relaxed) > 0 && mprotect(page, page_size, PROT_NONE) == 0) return;
  static std::once_flag said;
  std::call_once(said, [] {
    log_line(
        "further fiber stacks have no guard page: this kernel has no MADV_GUARD_INSTALL (6.13), and "
        "half of vm.max_map_count is used");
  });
}

void install_guard(std::byte* page) {
  static std::atomic<bool> refused{false};
  if (!refused.load(std::memory_order_relaxed)) {
    if (madvise(page, page_size, MADV_GUARD_INSTALL) == 0) return;
    if (errno == EINVAL) refused.store(true, std::memory_order_relaxed);
  }
  guard_by_mapping(page);
}

}  // namespace

void stack_arena::grow_locked() {
  constexpr std::size_t first = 16 << 20, largest = std::size_t{1} << 30;
  const std::size_t wanted = pieces_.empty() ? first : std::min(largest, 2 * pieces_.back().stacks * size_);
  void* at = MAP_FAILED;
  std::size_t stacks = std::max<std::size_t>(1, wanted / size_);
  for (;; stacks /= 2) {  // near a limit the next piece may be too large where a smaller one is not
    if (stacks == 0) throw std::bad_alloc();
    at = mmap(nullptr, stacks * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK,
              -1, 0);
    if (at != MAP_FAILED) break;
  }
  madvise(at, stacks * size_, MADV_NOHUGEPAGE);
  pieces_.push_back({static_cast<std::byte*>(at), stacks});
  used_in_last_ = 0;
}

stack stack_arena::take() {
  stack s{nullptr, size_};
  {
    const std::lock_guard hold(lock_);
    if (!rested_.empty()) {
      s.bottom = rested_.back();
      rested_.pop_back();
      return s;
    }
    if (pieces_.empty() || used_in_last_ == pieces_.back().stacks) grow_locked();
    s.bottom = pieces_.back().from + used_in_last_++ * size_;
  }
  install_guard(s.bottom);
  register_stack(s.usable(), size_ - page_size);
  return s;
}

void stack_arena::rest(const stack* stacks, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) madvise(stacks[i].usable(), size_ - page_size, MADV_DONTNEED);
  const std::lock_guard hold(lock_);
  for (std::size_t i = 0; i < n; ++i) rested_.push_back(stacks[i].bottom);
}

namespace {

struct arena_list {
  std::mutex mutex;
  std::vector<std::unique_ptr<stack_arena>> arenas;  // under mutex
};

arena_list& arenas() {
  static auto* list = new arena_list;  // never destroyed: fibers of other threads may outlive main
  return *list;
}

}  // namespace

stack_arena& arena_for(std::size_t size) {
  const std::size_t rounded = (size + page_size - 1) / page_size * page_size;
  auto& [mutex, list] = arenas();
  const std::lock_guard hold(mutex);
  for (auto& a : list)
    if (a->stack_size() == rounded) return *a;
  return *list.emplace_back(std::make_unique<stack_arena>(rounded));
}

void for_each_arena(void (*f)(stack_arena&, void*), void* arg) {
  auto& [mutex, list] = arenas();
  const std::lock_guard hold(mutex);
  for (auto& a : list) f(*a, arg);
}

}  // namespace weft::detail
