#include "runtime/borrowed_stacks.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace weft::detail {
namespace {

constexpr std::size_t kept_warm = 8;

struct shelf {
  shelf(std::size_t size, std::size_t guard) : arena(size, guard) {}
  stack_arena arena;
  std::array<stack, kept_warm> warm{};
  std::size_t count = 0;
};

struct lender {
  spin_lock lock;
  std::vector<std::unique_ptr<shelf>> shelves;  // under lock, these too
  std::vector<stack> all;                       // each stack that was ever lent

  shelf& shelf_locked(std::size_t size, std::size_t guard) {
    for (auto& s : shelves)
      if (s->arena.stack_size() == size && s->arena.guard_size() == guard) return *s;
    return *shelves.emplace_back(std::make_unique<shelf>(size, guard));
  }
};

lender& the_lender() {
  static auto* l = new lender;  // never destroyed: threads may run after main() returns
  return *l;
}

bool holds(const stack& s, std::uintptr_t address) noexcept {
  return address >= reinterpret_cast<std::uintptr_t>(s.guard()) && address < reinterpret_cast<std::uintptr_t>(s.top());
}

}  // namespace

void renew_borrowed_stacks_after_fork() { ::new (static_cast<void*>(&the_lender())) lender; }

stack borrow_stack(std::size_t size, std::size_t guard) {
  const auto whole_pages = [](std::size_t n) { return (n + page_size - 1) / page_size * page_size; };
  lender& l = the_lender();
  const std::lock_guard hold(l.lock);
  shelf& from = l.shelf_locked(whole_pages(size), whole_pages(guard));
  if (from.count > 0) return from.warm[--from.count];
  l.all.reserve(l.all.size() + 1);
  const stack s = from.arena.take();
  const auto same = [&s](const stack& other) { return other.bottom == s.bottom; };
  if (std::none_of(l.all.begin(), l.all.end(), same)) l.all.push_back(s);
  return s;
}

void return_stack(const stack& s) noexcept {
  lender& l = the_lender();
  {
    const std::lock_guard hold(l.lock);
    shelf& to = l.shelf_locked(s.size(), s.arena->guard_size());
    if (to.count < kept_warm) {
      to.warm[to.count++] = s;
      return;
    }
  }
  s.arena->rest(&s, 1);
}

stack borrowed_stack_at(std::uintptr_t address) noexcept {
  lender& l = the_lender();
  const std::unique_lock hold(l.lock, std::try_to_lock);
  if (!hold) return {};
  const auto found = std::find_if(l.all.begin(), l.all.end(), [address](const stack& s) { return holds(s, address); });
  return found == l.all.end() ? stack{} : *found;
}

}  // namespace weft::detail
