// std::chrono's durations, clocks and literals, without its calendar and streams, which a file that
// only waits would pay for with 10,000 lines.
#pragma once
#include <version>

#if defined(__GLIBCXX__) && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>  // IWYU pragma: export
#else
#include <chrono>  // IWYU pragma: export
#endif
