#include "lessons/support/explore.h"

#include <fmt/format.h>
#include <weft/sim.h>

#include <sstream>

namespace lesson {

int explore_variant(const page& of, const variant& v, std::size_t schedules) {
  const weft::sim::report r = weft::sim::explore({.schedules = schedules}, v.main);
  std::ostringstream text;
  text << r;
  fmt::print("{} {}: {}\n", of.id, v.name, text.str());
  return r ? 0 : 3;
}

}  // namespace lesson
