// Taking work from another P.
#pragma once

namespace weft::detail {

struct M;
struct P;
struct runnable;
struct world;

// One pass over all Ps in random order. `last_resort`: `next` slots and timers too.
enum class steal_effort { rings, last_resort };
runnable* steal_work(M* m, steal_effort effort);
// Returns true if the global queue or a ring, except the ring of `but`, holds a runnable.
bool any_work_approx(const world& w, const P* but = nullptr) noexcept;

}  // namespace weft::detail
