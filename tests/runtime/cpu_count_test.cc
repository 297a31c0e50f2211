#include "runtime/cpu_count.h"

#include <sched.h>
#include <stdlib.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

using namespace weft::detail;

namespace {

std::vector<std::string> complaints;

int choose(const maxprocs_facts& f) {
  complaints.clear();
  return choose_maxprocs(f, [](std::string_view line) { complaints.emplace_back(line); });
}

// What `f` returns on a thread of its own that may run on `cpus` CPUs of those there are.
template <class F>
int on_cpus(int cpus, F f) {
  int got = 0;
  std::thread([&] {
    cpu_set_t all, some;
    CPU_ZERO(&all);
    CPU_ZERO(&some);
    sched_getaffinity(0, sizeof all, &all);
    for (int c = 0, n = 0; c < CPU_SETSIZE && n < cpus; ++c)
      if (CPU_ISSET(c, &all)) {
        CPU_SET(c, &some);
        ++n;
      }
    if (sched_setaffinity(0, sizeof some, &some) == 0) got = f();
  }).join();
  return got;
}

}  // namespace

TEST_CASE("the quota bounds the Ps, but not below two", "[runtime][maxprocs][GO-50]") {
  CHECK(choose({.cpus = 8, .quota = 3}) == 3);
  CHECK(choose({.cpus = 8, .quota = 2}) == 2);
  CHECK(choose({.cpus = 8, .quota = 1}) == 2);
  CHECK(choose({.cpus = 2, .quota = 1}) == 2);
}

TEST_CASE("with one CPU there is one P, whatever the quota", "[runtime][maxprocs][GO-50]") {
  CHECK(choose({.cpus = 1, .quota = 1}) == 1);
  CHECK(choose({.cpus = 1, .quota = 4}) == 1);
  CHECK(choose({.cpus = 1}) == 1);
}

TEST_CASE("without a quota, or with a higher one, there are as many Ps as CPUs", "[runtime][maxprocs][GO-51]") {
  CHECK(choose({.cpus = 6}) == 6);
  CHECK(choose({.cpus = 6, .quota = 6}) == 6);
  CHECK(choose({.cpus = 6, .quota = 7}) == 6);
  CHECK(choose({.cpus = 6, .quota = 2'000'000'000}) == 6);
}

TEST_CASE("on a machine of more CPUs than there can be Ps there are as many Ps as can be",
          "[runtime][maxprocs][GO-51]") {
  CHECK(choose({.cpus = 5000}) == max_procs);
  CHECK(choose({.cpus = 0}) == 1);
}

TEST_CASE("the affinity mask is what counts as CPUs", "[runtime][maxprocs][GO-52]") {
  CHECK(on_cpus(1, cpu_count) == 1);
  const int here = cpu_count();
  CHECK(on_cpus(here, cpu_count) == here);
  if (here > 2) CHECK(on_cpus(2, cpu_count) == 2);
}

TEST_CASE("a mask narrower than the quota wins", "[runtime][maxprocs][GO-52]") {
  CHECK(on_cpus(1, [] { return choose({.cpus = cpu_count(), .quota = 4}); }) == 1);
}

TEST_CASE("WEFT_MAXPROCS goes before GOMAXPROCS, and both before what the machine says", "[runtime][maxprocs][GO-53]") {
  CHECK(choose({.weft_maxprocs = "7", .gomaxprocs = "5", .cpus = 4, .quota = 3}) == 7);
  CHECK(choose({.gomaxprocs = "5", .cpus = 4, .quota = 3}) == 5);
  CHECK(choose({.weft_maxprocs = "1", .cpus = 4}) == 1);
  CHECK(choose({.weft_maxprocs = "1024", .cpus = 4}) == 1024);
  CHECK(complaints.empty());
}

TEST_CASE("a variable that is set to nothing is not set", "[runtime][maxprocs][GO-53]") {
  CHECK(choose({.weft_maxprocs = "", .gomaxprocs = "", .weft_debug = "", .cpus = 4}) == 4);
  CHECK(complaints.empty());
}

TEST_CASE("a variable that is no possible number is named and passed over", "[runtime][maxprocs][GO-53]") {
  const std::string bad = GENERATE(as<std::string>(), "abc", "0", "-1", "1025", "4x", "4 ", " 4", "+4", "0x4", "4.5",
                                   "99999999999999999999");
  CHECK(choose({.weft_maxprocs = bad.c_str(), .gomaxprocs = "5", .cpus = 4}) == 5);
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0] == "WEFT_MAXPROCS='" + bad + "' ignored: expected a number from 1 to 1024");

  CHECK(choose({.gomaxprocs = bad.c_str(), .cpus = 4}) == 4);
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0] == "GOMAXPROCS='" + bad + "' ignored: expected a number from 1 to 1024");

  CHECK(choose({.weft_maxprocs = bad.c_str(), .gomaxprocs = bad.c_str(), .cpus = 4}) == 4);
  CHECK(complaints.size() == 2);
  CHECK(choose_maxprocs({.weft_maxprocs = bad.c_str(), .cpus = 4}, nullptr) == 4);
}

TEST_CASE("the quota can be ignored on request", "[runtime][maxprocs][GO-53]") {
  CHECK(choose({.weft_debug = "cgroup=0", .cpus = 8, .quota = 3}) == 8);
  CHECK(choose({.weft_debug = "schedtrace=1000,cgroup=0,leaks=1", .cpus = 8, .quota = 3}) == 8);
  CHECK(choose({.weft_debug = "cgroup=1", .cpus = 8, .quota = 3}) == 3);
  CHECK(choose({.weft_debug = "xcgroup=0,cgroup=00", .cpus = 8, .quota = 3}) == 3);
  CHECK(choose({.weft_debug = ",", .cpus = 8, .quota = 3}) == 3);
}

TEST_CASE("the default is between one and the number of CPUs where no variable says otherwise",
          "[runtime][maxprocs][GO-50]") {
  if (getenv("WEFT_MAXPROCS") || getenv("GOMAXPROCS")) return;
  const int n = default_maxprocs();
  CHECK(n >= 1);
  CHECK(n <= cpu_count());
}
