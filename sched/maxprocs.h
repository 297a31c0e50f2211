// Ps that are made and retired while the world runs.
#pragma once

namespace weft::detail {

struct M;
struct P;
struct world;

// Makes a P that no M holds yet.
P* make_p(const world& w, int id);
// Returns true if a P is neither idle nor retired. With the world's lock held.
bool some_p_is_held_locked(const world& w) noexcept;
// m's P was retired since maxprocs shrank: empties it and gets another. Returns true if so; m->p
// may be new.
bool retire_if_asked(M* m);

}  // namespace weft::detail
