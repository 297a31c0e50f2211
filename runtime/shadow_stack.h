// Intel CET's shadow stacks: a second stack of return addresses, which the CPU compares at each
// return. A switch of stacks would have to switch it too, which weft does not do, so the library is
// not marked as compatible and the linker leaves them off.
#pragma once

namespace weft::detail {

// Ends the process with one sentence if shadow stacks are on in the calling thread.
void refuse_shadow_stacks() noexcept;

}  // namespace weft::detail
