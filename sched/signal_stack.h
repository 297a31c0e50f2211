// The stack on which an M runs signal handlers. A fiber that has used up its own stack cannot run
// one.
#pragma once

namespace weft::detail {

struct M;

// Installs a signal stack for the calling thread, which must be m's. A thread that has one already
// keeps it.
void give_signal_stack(M* m) noexcept;
// Removes the stack that give_signal_stack() installed, if it did. From m's own thread.
void take_signal_stack(M* m) noexcept;

}  // namespace weft::detail
