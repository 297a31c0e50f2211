// Explores a scenario as a test: the scheduler as it is must pass, and a planted bug must be found.
#pragma once
#include <cstdio>

#include "tests/models/engine.h"
#include "tests/support/catch.h"

namespace models {

inline void print(const char* scenario, const char* what, machine on, const outcome& o, const char* result) {
  std::printf("%s, %s%s%s: %s after %llu schedules of %llu steps, %.2f s\n", scenario,
              on == machine::x86 ? "x86" : "C++", what ? ", " : "", what ? what : "", result,
              static_cast<unsigned long long>(o.schedules), static_cast<unsigned long long>(o.steps), o.seconds);
}

// As C++ orders it, and as x86 does.
inline void check_right(scenario& s, const char* name, settings how) {
  for (const machine on : {machine::language, machine::x86}) {
    how.on = on;
    const outcome o = explore(s, how);
    print(name, nullptr, on, o, o.failure ? o.failure->c_str() : "right");
    INFO(o.story);
    CHECK_FALSE(o.failure.has_value());
  }
}

// Without a bug: the scenario itself is one that must fail.
inline void check_found(scenario& s, const char* name, settings how) {
  how.schedules = 500'000;  // it stops at the first that fails, as a rule one of the first 10,000
  const outcome o = explore(s, how);
  print(name, how.bug ? how.bug->description : nullptr, how.on, o, o.failure ? o.failure->c_str() : "NOT FOUND");
  CAPTURE(name, how.bug ? how.bug->description : "");
  CHECK((o.reached || !how.bug));
  CHECK(o.failure.has_value());
}
inline void check_found(scenario& s, const char* name, const planted& bug, settings how = {}) {
  how.bug = &bug;
  check_found(s, name, how);
}

}  // namespace models
