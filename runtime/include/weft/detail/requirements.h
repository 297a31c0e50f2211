// What a program that includes weft needs; each public header includes this first, directly or
// through another.
#pragma once

#if __cplusplus < 202002L
#error "weft needs C++20: compile with -std=c++20 or later"
#endif
#if !defined(__cpp_exceptions)
#error "weft needs exceptions: it reports misuse by weft::panic, so compile without -fno-exceptions"
#endif
#if !defined(__linux__)
#error "weft needs Linux"
#endif
#if !defined(__x86_64__) && !defined(__aarch64__)
#error "weft needs x86-64 or arm64 (aarch64)"
#endif

#include <weft/detail/build_marks.h>
