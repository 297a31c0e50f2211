// Hazard pointers: reading the target of a pointer while writers replace it, without a lock and
// without a read-modify-write.
//
// A reader stores the object's address into a slot, and checks that the pointer has not changed. A
// writer replaces the pointer first and then reads all slots; an object that is in no slot may be
// freed. That is a Dekker pair. The writer executes the reader's fence too: membarrier fences all
// threads of the process, which takes microseconds, but writes are rare and free several objects
// together.
//
// Each thread has a page of slots. Only that thread takes slots from it, so taking one is a plain
// store. Freeing a slot is a store from any thread: a fiber may move to another thread with its
// snapshot.
//
// Note [hazard]: no object is freed while a reader uses it
//      reader                                writer
//   H1 slot = p (release)                 W1 pointer = another, instead of p
//   H2 light fence                        W2 heavy fence: a fence on every thread
//   H3 pointer still p? else H1 again     W3 p in a slot? keep it; else free it
//   H4 ... slot = null (release)
// If W3 misses H1, the reader's thread was fenced before H1, so H3 sees W1 and p is not read. If W3
// sees the null of H4, or what stands in the slot after it, it acquires all reads before H4: the
// next user of a slot acquires it when it finds it free, and releases with its own H1.
#pragma once
#include <weft/detail/requirements.h>

#include <array>
#include <atomic>
#include <cstddef>

namespace weft::detail {

using hazard_slot = std::atomic<const void*>;

struct alignas(128) hazard_page {
  static constexpr std::size_t size = 8;
  std::array<hazard_slot, size> slots{};
  hazard_page* next = nullptr;        // set once: all pages ever made
  std::atomic<bool> owned{true};      // by a thread that lives
};

// Returns the calling thread's page. Never inlined: the address must not live across a suspension.
// The caller must not suspend while it uses the page.
hazard_page* this_hazard_page() noexcept;

// True if the heavy fence replaces the light fences. Set before main.
extern const bool fences_are_lopsided;

void full_fence() noexcept;
inline void light_fence() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);  // [hazard] H2
  if (!fences_are_lopsided) [[unlikely]]
    full_fence();
}
void heavy_fence() noexcept;

// Returns a free slot of the page, except the last one, which is reserved for short uses.
inline hazard_slot* free_slot(hazard_page& page) noexcept {
  for (std::size_t i = 0; i + 1 < hazard_page::size; ++i)
    if (!page.slots[i].load(std::memory_order_acquire)) return &page.slots[i];  // [hazard] after H4
  return nullptr;
}

// Returns the target of `from`, protected by `slot` until the slot is null again.
template <class N>
N* protect(const std::atomic<N*>& from, hazard_slot& slot) noexcept {
  for (N* n = from.load(std::memory_order_relaxed);;) {
    slot.store(n, std::memory_order_release);  // [hazard] H1
    light_fence();
    N* again = from.load(std::memory_order_acquire);  // [hazard] H3, and what n's writer did
    if (again == n) return n;
    n = again;
  }
}

// Calls seen(p) for each protected object, after a heavy fence.
void for_each_protected_(void (*seen)(void*, const void*), void* arg);
template <class Seen>
void for_each_protected(Seen seen) {
  for_each_protected_([](void* s, const void* p) { (*static_cast<Seen*>(s))(p); }, &seen);
}

}  // namespace weft::detail
