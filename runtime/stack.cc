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

// Returns how many guards may be made with mprotect: a guard takes two mappings, and half of the
// limit is left to the program.
std::int64_t mapping_budget() {
  char text[32] = {};
  std::int64_t limit = 65'530;
  if (const int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC); fd >= 0) {
    if (read(fd, text, sizeof text - 1) > 0) limit = std::atoll(text);
    close(fd);
  }
  return limit / 4;
}

void guard_by_mapping(std::byte* from, std::size_t size) {
  static std::atomic<std::int64_t> left{mapping_budget()};
  if (left.fetch_sub(1, std::memory_order_relaxed) > 0 && mprotect(from, size, PROT_NONE) == 0) return;
  static std::once_flag said;
  std::call_once(said, [] {
    log_line(
        "further fiber stacks have no guard: this kernel has no MADV_GUARD_INSTALL (6.13), and "
        "half of vm.max_map_count is used");
  });
}

void install_guard(std::byte* from, std::size_t size) {
  static std::atomic<bool> refused{false};
  if (!refused.load(std::memory_order_relaxed)) {
    if (madvise(from, size, MADV_GUARD_INSTALL) == 0) return;
    if (errno == EINVAL) refused.store(true, std::memory_order_relaxed);
  }
  guard_by_mapping(from, size);
}

}  // namespace

void stack_arena::grow_locked() {
  constexpr std::size_t first = 16 << 20, largest = std::size_t{1} << 30;
  const std::size_t wanted = pieces_.empty() ? first : std::min(largest, 2 * pieces_.back().stacks * stride());
  void* at = MAP_FAILED;
  std::size_t stacks = std::max<std::size_t>(1, wanted / stride());
  for (;; stacks /= 2) {  // near a limit the next piece may be too large where a smaller one is not
    if (stacks == 0) throw std::bad_alloc();
    at = mmap(nullptr, stacks * stride(), PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (at != MAP_FAILED) break;
  }
  madvise(at, stacks * stride(), MADV_NOHUGEPAGE);
  pieces_.push_back({static_cast<std::byte*>(at), stacks});
  used_in_last_ = 0;
}

stack stack_arena::take() {
  stack s{nullptr, this};
  {
    const std::lock_guard hold(lock_);
    if (!rested_.empty()) {
      s.bottom = rested_.back();
      rested_.pop_back();
      return s;
    }
    if (pieces_.empty() || used_in_last_ == pieces_.back().stacks) grow_locked();
    s.bottom = pieces_.back().from + used_in_last_++ * stride() + guard_;
  }
  install_guard(s.guard(), guard_);
  register_stack(s.bottom, size_);
  return s;
}

void stack_arena::rest(const stack* stacks, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) madvise(stacks[i].bottom, size_, MADV_DONTNEED);
  const std::lock_guard hold(lock_);
  for (std::size_t i = 0; i < n; ++i) rested_.push_back(stacks[i].bottom);
}

namespace {

struct arena_list {
  std::mutex mutex;
  std::vector<std::unique_ptr<stack_arena>> arenas;  // under mutex
};

arena_list& arenas() {
  static auto* list = new arena_list;  // never destroyed: fibers of other threads may run after main() returns
  return *list;
}

}  // namespace

stack_arena& arena_for(std::size_t size, std::size_t guard) {
  const auto whole_pages = [](std::size_t n) { return (n + page_size - 1) / page_size * page_size; };
  size = whole_pages(size);
  guard = whole_pages(guard);
  auto& [mutex, list] = arenas();
  const std::lock_guard hold(mutex);
  for (auto& a : list)
    if (a->stack_size() == size && a->guard_size() == guard) return *a;
  return *list.emplace_back(std::make_unique<stack_arena>(size, guard));
}

void renew_arenas_after_fork() {
  arena_list& list = arenas();
  ::new (static_cast<void*>(&list.mutex)) std::mutex;
  ::new (static_cast<void*>(&list.arenas)) std::vector<std::unique_ptr<stack_arena>>;  // their stacks stay mapped
}

void for_each_arena(void (*f)(stack_arena&, void*), void* arg) {
  auto& [mutex, list] = arenas();
  const std::lock_guard hold(mutex);
  for (auto& a : list) f(*a, arg);
}

}  // namespace weft::detail
