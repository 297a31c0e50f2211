// All fibers of the world, as seen by a thread that cannot stop them.
//
// Nothing is locked against the fibers, so they run while they are read. What is read may be out of
// date, but reading it is always safe: stacks and Gs stay mapped, and the kernel reads records,
// because they may be freed at the same time. A fiber whose state has changed while its stack was
// copied is listed without a stack.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/unwind/backtrace.h"
#include "sched/ancestry.h"
#include "sched/world.h"

namespace weft::detail {

struct fiber_view {
  std::uint64_t id = 0;
  g_state state = g_state::free;
  wait_reason reason = wait_reason::none;
  bool started = true;            // false: it waits for its first turn
  bool locked = false;            // to its thread
  const void* site = nullptr;     // of its go statement
  std::string name;
  std::uintptr_t holder_at = 0;   // an address on the stack of the fiber it waits for; 0: not known
  std::uint64_t waits_for = 0;    // the fiber that has that stack; 0: not known
  std::int64_t waits_s = 0;       // parked for about this many seconds
  int m = -1;                     // runs on this M
  stack where;
  std::vector<ancestor> ancestors;     // with debug.ancestors
  std::vector<std::uintptr_t> frames;  // empty: not available
  std::size_t left_out = 0;            // frames in the middle
};

// By id. Frames are those of fibers off their stacks, and of the caller.
enum class with_frames { yes, no };
std::vector<fiber_view> list_fibers(world& w, with_frames wanted = with_frames::yes);

// Returns the stacks of the fiber whose own stack is `where` and whose stack pointer is `sp`, in
// place. For a fiber that is stopped. Safe in signal handlers.
fiber_stacks stacks_of(const stack& where, std::uintptr_t sp) noexcept;

// Returns the text in brackets: "chan receive, 3 minutes, locked to thread".
std::string describe_state(const fiber_view& f);

}  // namespace weft::detail
