// Which part of a striped structure a caller should use, so that callers on different Ps do not
// write to the same cache line.
#pragma once

namespace weft::detail {

// The index of the P that the caller holds; on a plain thread, a number of that thread's own. To be
// taken modulo the number of stripes. After a suspension it may be another, so a stripe is a hint
// and what it guards stays atomic. Never inlined, and never suspends.
unsigned current_stripe() noexcept;

// How many stripes are worth having here: a power of two, from 1 to 64, always the same.
unsigned stripe_count() noexcept;

}  // namespace weft::detail
