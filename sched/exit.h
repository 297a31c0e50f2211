// How fibers end other than by returning.
#pragma once
#include <cstdint>

#include "sched/g.h"

namespace weft::detail {

struct P;

// Fiber `id` has unwound because of goexit.
void note_goexit(std::uint64_t id) noexcept;

void free_record(P* p, spawn_record* r) noexcept;

}  // namespace weft::detail
