// Versions: the current one, and the end of replaced ones.
//
// A replaced version stays in the list of its atomic_value until a scan of all hazard slots and its
// count finds no reader. A scan costs a fence on every thread of the process. So it runs when the
// last one was 1 ms ago, or when 64 versions wait for it.
//
// Note [version]: a snapshot that exchanges its hazard slot for a count, or is copied from a
// snapshot with a slot, counts first. So a scan that finds no slot finds the count. Dropping a
// count releases the reads of the snapshot; the scan that reads 0 acquires them.
#include <weft/atomic_value.h>

#include <algorithm>
#include <vector>

#include "runtime/clock.h"

namespace weft::detail {
namespace {

constexpr unsigned most_replaced = 64;
constexpr std::int64_t look_every_ns = 1'000'000;

// Versions of destroyed atomic_values that a snapshot still shows.
std::mutex orphans_lock;
version* orphans = nullptr;  // under orphans_lock
std::atomic<bool> any_orphans{false};

// Removes the versions without a reader from `list`.
version* take_unread(version*& list) {
  std::vector<const void*> read;
  for_each_protected([&](const void* p) { read.push_back(p); });
  std::sort(read.begin(), read.end());
  version* unread = nullptr;
  for (version** at = &list; version* v = *at;) {
    // [version] acquired: the reads of every dropped count
    if (std::binary_search(read.begin(), read.end(), static_cast<const void*>(v)) ||
        v->refs.load(std::memory_order_acquire) > 0) {
      at = &v->next;
      continue;
    }
    *at = v->next;
    v->next = unread;
    unread = v;
  }
  return unread;
}

void append(version*& list, version* tail) noexcept {
  version** end = &list;
  while (*end) end = &(*end)->next;
  *end = tail;
}

version* take_unread_orphans() {
  if (!any_orphans.load(std::memory_order_relaxed)) return nullptr;
  const std::lock_guard hold(orphans_lock);
  version* unread = take_unread(orphans);
  any_orphans.store(orphans != nullptr, std::memory_order_relaxed);
  return unread;
}

}  // namespace

version* versions::acquire_counted(hazard_page& page) const noexcept {
  hazard_slot& last = page.slots.back();
  version* v = protect(current_, last);
  if (v) v->refs.fetch_add(1, std::memory_order_relaxed);
  last.store(nullptr, std::memory_order_release);  // [hazard] H4; [version] counted before
  return v;
}

version* versions::replace_locked(version* v) {
  // [hazard] W1, and v's content before it can be found
  version* before = current_.exchange(v, std::memory_order_seq_cst);
  if (!before) return nullptr;
  before->next = replaced_;
  replaced_ = before;
  ++n_replaced_;
  const std::int64_t time = now_ns();
  if (n_replaced_ < most_replaced && time - look_every_ns < looked_at_) return nullptr;
  version* unread = take_unread(replaced_);
  looked_at_ = time;
  n_replaced_ = 0;
  for (const version* r = replaced_; r; r = r->next) ++n_replaced_;
  // If snapshots hold all of them, the next scan is after the same number again.
  n_replaced_ = std::min(n_replaced_, most_replaced / 2);
  append(unread, take_unread_orphans());
  return unread;
}

void versions::destroy_all(version* list) noexcept {
  while (list) {
    version* next = list->next;
    list->destroy(list);
    list = next;
  }
}

versions::~versions() {
  version* last = current_.exchange(nullptr, std::memory_order_seq_cst);  // [hazard] W1
  if (!last) return;
  last->next = replaced_;
  replaced_ = last;
  destroy_all(take_unread(replaced_));
  if (!replaced_) return;
  const std::lock_guard hold(orphans_lock);
  append(replaced_, orphans);
  orphans = replaced_;
  any_orphans.store(true, std::memory_order_relaxed);
}

}  // namespace weft::detail
