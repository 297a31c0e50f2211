// Precompiled for the test programs: Catch2 and the standard library.
#include "tools/pch/std.h"

#include "tests/support/catch.h"
