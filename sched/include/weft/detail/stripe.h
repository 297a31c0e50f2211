// The part of a striped structure that a caller should use, so that callers on different Ps do not
// write to the same cache line.
#pragma once

namespace weft::detail {

struct m_face;  // fiber.h

// Returns the index of the P that the caller holds; on a plain thread, a number of that thread. To
// be taken modulo the number of stripes. It may change at a suspension, so a stripe is a hint and
// the data it guards stays atomic. Never inlined, and never suspends.
unsigned current_stripe() noexcept;

// The same with the caller's M, null on a plain thread: one call where both are needed.
struct place {
  m_face* m;
  unsigned stripe;
};
place current_place() noexcept;

// Returns how many stripes are useful here: a power of two, from 1 to 64, always the same.
unsigned stripe_count() noexcept;

}  // namespace weft::detail
