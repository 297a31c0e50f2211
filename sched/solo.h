// Skipping locks while no other thread can use the primitive.
#pragma once

namespace weft::detail {

struct world;

// Returns whether Ms of `w` may skip locks while one of them holds the only P.
bool solo_now(const world& w) noexcept;
// Sections without an M ask whether they are simulated, from begin to end.
void begin_simulated_sections() noexcept;
void end_simulated_sections() noexcept;
// The world is no longer published: after this no plain thread uses it.
void wait_for_end_of_solo() noexcept;

}  // namespace weft::detail
