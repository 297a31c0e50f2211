// What WEFT_DEBUG may say, and what is said about the rest.
#include "runtime/debug_settings.h"

#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace weft::detail;

namespace {

std::vector<std::string> complaints;

debug_settings parse(const char* text) {
  complaints.clear();
  return parse_debug_settings(text, [](std::string_view line) { complaints.emplace_back(line); });
}

}  // namespace

TEST_CASE("nothing said is nothing changed", "[runtime][debug]") {
  for (const char* nothing : {static_cast<const char*>(nullptr), "", ",", ",,,"}) {
    const debug_settings s = parse(nothing);
    CHECK(s.cgroup);
    CHECK_FALSE(s.chaos);
    CHECK_FALSE(s.leaks);
    CHECK_FALSE(s.sigquit_continues);
    CHECK(s.schedtrace_ms == 0);
    CHECK(complaints.empty());
  }
}

TEST_CASE("each word sets what it names", "[runtime][debug]") {
  const debug_settings s =
      parse("schedtrace=1000,cgroup=0,guard=128,leaks=1,chaos,stacks,sigquit=continue,ancestors=3,traceback=all");
  CHECK(s.ancestors == 3);
  CHECK(s.traceback_level == traceback::all);
  CHECK_FALSE(s.cgroup);
  CHECK(s.chaos);
  CHECK(s.guard_kib == 128);
  CHECK(s.leaks);
  CHECK(s.sigquit_continues);
  CHECK(s.stacks);
  CHECK(s.schedtrace_ms == 1000);
  CHECK(complaints.empty());
  CHECK_FALSE(parse("chaos=0").chaos);
  CHECK_FALSE(parse("limit=0").limit);
  CHECK(parse("chaos").limit);
}

TEST_CASE("a word that is not understood is named, with what is allowed, and the others hold", "[runtime][debug]") {
  const auto [bad, allowed] =
      GENERATE(table<const char*, const char*>({{"choas=1", "chaos, guard, leaks, limit, poller, schedtrace"},
                                                {"ancestors=-1", "0 to 100"},
                                                {"ancestors=many", "0 to 100"},
                                                {"guard=3", "KiB, 4 to 65536"},
                                                {"guard=65537", "KiB, 4 to 65536"},
                                                {"guard=64K", "KiB, 4 to 65536"},
                                                {"traceback=some", "none, single, all, system or crash"},
                                                {"traceback", "none, single"},
                                                {"chaos=yes", "0 or 1"},
                                                {"schedtrace=-1", "milliseconds"},
                                                {"schedtrace=1s", "milliseconds"},
                                                {"schedtrace=99999999999", "milliseconds"},
                                                {"schedtrace", "milliseconds"},
                                                {"sigquit=stop", "continue"},
                                                {"=", "chaos, guard, leaks, limit, poller, schedtrace"}}));
  const debug_settings s = parse((std::string(bad) + ",leaks=1").c_str());
  CHECK(s.leaks);
  REQUIRE(complaints.size() == 1);
  CHECK(complaints[0].find("WEFT_DEBUG") != std::string::npos);
  CHECK(complaints[0].find(bad) != std::string::npos);
  CHECK(complaints[0].find(allowed) != std::string::npos);
  CHECK_FALSE(s.chaos);
  CHECK(s.schedtrace_ms == 0);
}
