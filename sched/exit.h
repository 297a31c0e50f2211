// How fibers end other than by returning.
#pragma once
#include <cstdint>
#include <exception>

#include "sched/g.h"

namespace weft::detail {

struct P;

// Fiber `id` has unwound because of goexit.
void note_goexit(std::uint64_t id) noexcept;

// An exception has left a fiber: says which, where it was started, and ends the process with status 2.
[[noreturn]] void uncaught_exception_panic(std::exception_ptr what) noexcept;

// Returns at once, unless a fiber is telling its panic: then the process ends when it has.
void let_a_panic_finish() noexcept;

void free_record(P* p, spawn_record* r) noexcept;

}  // namespace weft::detail
