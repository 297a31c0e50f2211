// The same seed gives the same schedules in every build: by g++ and clang++, optimised or not, with
// a sanitizer or without. What is expected here was recorded once; each build compares itself with
// it.
#include <weft/sim.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "corpus/corpus.h"
#include "tests/support/lost_on_purpose.h"

using weft::sim::report;
using weft::sim::verdict;

namespace {

struct recorded {
  const char* name;
  verdict what;
  std::size_t schedules, steps;
  const char* replay;
  std::uint64_t story;  // its digest; another one if the texts of stories have been changed
};

// Without line numbers and the breaks of lines: an edit of the program moves them.
std::uint64_t digest_of(std::string_view story) {
  std::uint64_t h = 0xcbf29ce484222325u;  // FNV-1a
  char before = ' ';
  bool in_number = false;
  for (char c : story) {
    if (c == '\n') c = ' ';
    const bool digit = c >= '0' && c <= '9';
    if ((in_number && digit) || (c == ' ' && before == ' ')) continue;
    in_number = c == ':';
    before = c;
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return h;
}

const corpus::kernel& kernel_of(std::string_view name) {
  for (const auto& some : {corpus::etcd(), corpus::sctbench()})
    for (const corpus::kernel& k : some)
      if (k.name == name) return k;
  throw std::runtime_error("no such kernel");
}

}  // namespace

TEST_CASE("one seed gives the same failure, replay string and story in every build", "[sim]") {
  const recorded all[] = {
      {"etcd_6857", verdict::leak, 1, 13, "w1-1-1-91b2f634-1.1>4", 0x420478a7218f96cd},
      {"etcd_7492", verdict::deadlock, 4, 227, "w1-1-1-c7875737-5.2>0,2.9=1", 0x8be1d45540a2b9a6},
      {"philosophers_3", verdict::deadlock, 21, 471, "w1-1-1-78d8bbd1-2.2>4", 0x6aab397e0c400c44},
  };
  for (const recorded& expected : all) {
    [[maybe_unused]] const weft::testing::lost_on_purpose frames;  // of fibers that outlive the main fiber
    const corpus::kernel& k = kernel_of(expected.name);
    const auto program = [&k] { k.program(corpus::variant::broken); };
    const report r = weft::sim::explore({.seed = 1, .early_timers = true}, program);
    INFO(k.name << ": " << r);
    CHECK(r.what == expected.what);
    CHECK(r.schedules == expected.schedules);
    CHECK(r.steps == expected.steps);
    CHECK(r.replay == expected.replay);
    if (r.story.find(".cc:") != std::string::npos)  // not so without debug information
      CHECK(digest_of(r.story) == expected.story);
    CHECK(weft::sim::replay(expected.replay, program).message == r.message);
  }
}
