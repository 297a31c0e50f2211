// The deadlock verdict: Go's words, a dump, exit status 2.
#pragma once

namespace weft::detail {

struct world;

[[noreturn]] void deadlock_verdict(world& w);

}  // namespace weft::detail
