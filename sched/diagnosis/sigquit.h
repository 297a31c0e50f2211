// SIGQUIT: a dump of all fibers, with the stacks of running fibers, and the end with status 2.
//
// As Go does. WEFT_DEBUG=sigquit=continue lets the process continue; running fibers are then shown
// without their stacks, because to ask for one takes a signal that would interrupt a call the fiber
// is in. A program that handles or ignores SIGQUIT itself keeps its own action.
#pragma once

namespace weft::detail {

// From run(), at the begin and the end of a world.
void install_sigquit_handler() noexcept;
void uninstall_sigquit_handler() noexcept;

}  // namespace weft::detail
