// SIGQUIT: a dump of all fibers, with the stacks of those that run, and the end with status 2.
//
// As Go does. WEFT_DEBUG=sigquit=continue lets the process go on; running fibers are then shown without
// their stacks, because to ask for one takes a signal that would interrupt a call the fiber is in.
// A program that handles or ignores SIGQUIT itself is left alone.
#pragma once

namespace weft::detail {

// From run(), at the begin and the end of a world.
void catch_quit() noexcept;
void leave_quit_alone() noexcept;

}  // namespace weft::detail
