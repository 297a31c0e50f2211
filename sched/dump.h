// Saying what fibers there are.
#pragma once
#include <cstdio>
#include <string>

#include "sched/world.h"

namespace weft::detail {

// Every fiber: id, name, state, wait reason, start site.
void dump_world(world& w, std::FILE* out);

// Fibers that the end of the world has caught alive, counted by start site, on standard error.
void report_leaks(world& w);

// "function+0x1f (program)" of a code address, as well as can be told without debug information.
std::string describe_code(const void* address);

}  // namespace weft::detail
