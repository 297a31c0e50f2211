// Reading what a pointer points to while others replace it, without a lock and without a
// read-modify-write.
//
// A reader writes into a slot which object it is about to read, and looks whether the pointer is
// still the same. A writer replaces the pointer first and then looks into all slots; what stands in none
// may be freed. That is a Dekker pair, whose fence the reader leaves to the writer: membarrier fences all
// threads of the process, in microseconds, but writes are rare and clear up several objects at once.
//
// Each thread has a page of slots from which it alone takes, so that taking is a plain store. Freeing
// a slot is a store too, from any thread: what is protected may go on to another thread with its fiber.
//
// Note [hazard]: nothing is freed that somebody reads
//      reader                                writer
//   H1 slot = p (release)                 W1 pointer = another, instead of p
//   H2 light fence                        W2 heavy fence: a fence on every thread
//   H3 pointer still p? else H1 again     W3 p in a slot? keep it; else free it
//   H4 ... slot = null (release)
// If W3 misses H1, the reader's thread was fenced before H1, so H3 sees W1 and p is not read. If W3
// sees the null of H4, or what stands in the slot after it, it acquires all reads before H4: the next
// user of a slot acquires it when it finds it free, and releases with its own H1.
#pragma once
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

// The calling thread's page. Never inlined, for the address must not live across a suspension; what
// is done with the page must not suspend.
hazard_page* this_hazard_page() noexcept;

// Whether light fences may be left to the heavy one. Set before main.
extern const bool fences_are_lopsided;

void full_fence() noexcept;
inline void light_fence() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);  // [hazard] H2
  if (!fences_are_lopsided) [[unlikely]]
    full_fence();
}
void heavy_fence() noexcept;

// A free slot of the page, but for its last, which is for what is given up before anything else happens.
inline hazard_slot* free_slot(hazard_page& page) noexcept {
  for (std::size_t i = 0; i + 1 < hazard_page::size; ++i)
    if (!page.slots[i].load(std::memory_order_acquire)) return &page.slots[i];  // [hazard] after H4
  return nullptr;
}

// What `from` points to, protected by `slot` until that is null again.
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

// Calls seen(p) for everything that is protected now, after a heavy fence.
void for_each_protected_(void (*seen)(void*, const void*), void* arg);
template <class Seen>
void for_each_protected(Seen seen) {
  for_each_protected_([](void* s, const void* p) { (*static_cast<Seen*>(s))(p); }, &seen);
}

}  // namespace weft::detail
