// Running the child processes of this folder.
#pragma once
#include <signal.h>

#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scale.h"

namespace weft::testing {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

inline outcome scenario(const std::string& name) {
  return run_child({beside_this_program("diag_scenarios"), name}, 120);
}

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

#if defined(WEFT_HAVE_BACKTRACE)
inline constexpr bool has_lines = true;
#else
inline constexpr bool has_lines = false;
#endif

}  // namespace weft::testing
