// The short form of the corpus: ./tools/dev corpus prints the long one.
#include <algorithm>
#include <catch2/catch.hpp>

#include "corpus/measure.h"

namespace {

using corpus::kernel;
using corpus::measure;
using corpus::outcome;
using corpus::settings;

constexpr settings shortly{.schedules = 100, .twin_schedules = 200, .replays = 3};

}  // namespace

TEST_CASE("the corpus has each kernel of GoKer once", "[corpus]") {
  std::vector<std::string> blocking, others;
  for (const kernel& k : corpus::goker()) (is_blocking(k.what) ? blocking : others).push_back(k.name);
  for (auto* names : {&blocking, &others}) {
    std::sort(names->begin(), names->end());
    CHECK(std::adjacent_find(names->begin(), names->end()) == names->end());
  }
  CHECK(blocking.size() == 68);
  CHECK(others.size() == 35);
}

TEST_CASE("each bug of GoKer is found within 100 schedules, shrunk and replayed, and no repaired twin fails",
          "[corpus]") {
  std::vector<std::size_t> after;
  for (const kernel& k : corpus::goker()) {
    const outcome o = measure(k, shortly);
    INFO(k.name << ": " << o.broken << "\nrepaired: " << o.twin);
    CHECK(o.found);
    CHECK(o.broken.switches <= 5);
    CHECK(o.same_replays == shortly.replays);
    CHECK(o.twin);
    if (o.found && is_blocking(k.what)) after.push_back(o.broken.schedules);
  }
  REQUIRE(!after.empty());
  std::sort(after.begin(), after.end());
  CHECK(after[(after.size() - 1) / 2] <= 2);
  CHECK(std::count_if(after.begin(), after.end(), [](std::size_t n) { return n > 20; }) <= 3);
}

TEST_CASE("no blocking bug is found with the detection off", "[corpus]") {
  for (const kernel& k : corpus::goker())
    if (is_blocking(k.what)) {
      INFO(k.name);
      CHECK(passes_unobserved(k, shortly));
    }
}
