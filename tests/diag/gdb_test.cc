// The gdb commands of tools/gdb, on a live process and on a core file.
#include <unistd.h>

#include <filesystem>

#include "runtime/sanitizer.h"
#include "tests/diag/scenario.h"

using namespace weft::testing;

namespace {

// False, and said so, where the commands cannot be tried.
bool can_use_gdb() {
  if (weft::detail::under_asan || weft::detail::under_tsan) {
    WARN("gdb is tried in plain builds only: sanitizers change the programs it looks at");
    return false;
  }
  if (!std::filesystem::exists("/usr/bin/gdb")) {
    WARN("gdb is not installed: its commands are not tried");
    return false;
  }
  if (run_child({"/usr/bin/gdb", "-nx", "-batch", "-ex", "python import gdb.unwinder"}).status != 0) {
    WARN("this gdb has no python: its commands are not tried");
    return false;
  }
  return true;
}

const std::string program = beside_this_program("diag_scenarios");
const std::string commands = WEFT_SOURCE_ROOT "/tools/gdb/weft.py";

void check_that_fibers_are_shown(const outcome& o) {
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK_THAT(o.out, Contains("fiber 1 [running, thread ") && Contains("sentry [chan receive] started in"));
  CHECK(count(o.out, "sentry [chan receive]:") == 2);  // apply all
  CHECK(count(o.out, "wait_in_the_yard") == 3);        // both by apply all, one by its id
  CHECK(count(o.out, "wait_at_the_gate") == 3);
  CHECK_THAT(o.out, Contains("the scheduler's lists hold together"));
  CHECK_THAT(o.out, Contains("stop_here_for_gdb") && !Contains("fiber_entry"));
}

std::vector<std::string> gdb_with(std::vector<std::string> first, std::vector<std::string> last) {
  std::vector<std::string> all{"/usr/bin/gdb", "-nx", "-batch", "-ex", "source " + commands};
  all.insert(all.end(), first.begin(), first.end());
  for (const char* c : {"info fibers", "fiber 2 bt", "fiber apply all bt", "fiber check"}) {
    all.push_back("-ex");
    all.push_back(c);
  }
  all.insert(all.end(), last.begin(), last.end());
  return all;
}

}  // namespace

TEST_CASE("gdb shows the fibers of a live process", "[diag][gdb]") {
  if (!can_use_gdb()) return;
  check_that_fibers_are_shown(run_child(
      gdb_with({"-ex", "break stop_here_for_gdb", "-ex", "run"}, {"-ex", "kill", "--args", program, "is-looked-at"}),
      300));
}

TEST_CASE("gdb says that there are no fibers before a world runs, and no process before that", "[diag][gdb]") {
  if (!can_use_gdb()) return;
  const std::vector<std::string> typed{"source " + commands, "info fibers", "fiber check", "break main", "run",
                                       "info fibers",        "fiber 2 bt",  "fiber check", "kill"};
  std::vector<std::string> call{"/usr/bin/gdb", "-nx", "-batch"};
  for (const std::string& c : typed) call.insert(call.end(), {"-ex", c});
  call.insert(call.end(), {"--args", program, "is-looked-at"});
  const outcome o = run_child(call, 300);
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(count(o.err, "there is no process: run the program, attach to it, or open its core file\n") == 2);
  CHECK_THAT(o.out, Contains("There are no fibers.\n") && Contains("no world is running\n"));
  CHECK(count(o.err, "no fiber 2; see info fibers\n") == 1);
  CHECK(count(o.err, "Python Exception") == 0);
}

TEST_CASE("gdb shows the fibers of a core file", "[diag][gdb]") {
  if (!can_use_gdb()) return;
  const auto folder = std::filesystem::temp_directory_path() / ("weft-core-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const outcome dead =
      run_child({"/bin/sh", "-c",
                 "cd " + folder.string() + " && ulimit -c unlimited && exec " + program + " dies-and-is-looked-at"});
  CHECK(dead.status == 128 + SIGABRT);
  std::string core;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) core = entry.path();
  if (core.empty()) WARN("this system writes no core files here: the commands are not tried on one");
  else check_that_fibers_are_shown(run_child(gdb_with({}, {program, core}), 300));
  std::filesystem::remove_all(folder);
}
