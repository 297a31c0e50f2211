// Prints all fibers of a world, and their states.
#pragma once
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "sched/diagnosis/fiber_list.h"
#include "sched/world.h"

namespace weft::detail {

// Every fiber: id, name, state, wait reason and time, start site, stack; equal stacks once.
void dump_world(world& w, std::FILE* out);

// The same for fibers that are listed already.
std::string describe_fibers(std::span<const fiber_view> fibers);

// The lines of one stack and its start site, each with a tab before it.
std::string describe_stack(const fiber_view& f);

}  // namespace weft::detail
