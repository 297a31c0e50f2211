// A program of a lesson under simulation: many schedules, and the story of the first that fails.
#pragma once
#include <cstddef>

#include "lessons/support/page.h"

namespace lesson {

// Explores up to `schedules` schedules of the program, which prints nothing in them, and prints
// what was found. Returns 0 if all passed, else 3.
int explore_variant(const page& of, const variant& v, std::size_t schedules);

}  // namespace lesson
