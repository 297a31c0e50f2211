// SIGQUIT, stack overflows and crashes: what is reported, and how the process ends.
#include "tests/diag/scenario.h"

#include "runtime/sanitizer.h"

using namespace weft::testing;

namespace {

// Under ASan and TSan, SIGSEGV and its like are the sanitizer's.
bool crashes_are_ours() {
  if (!weft::detail::under_asan && !weft::detail::under_tsan) return true;
  WARN("crash signals belong to the sanitizer here");
  return false;
}

}  // namespace

TEST_CASE("SIGQUIT shows every fiber and ends the process with status two", "[diag][quit][DIAG-01][DL-25][DL-28]") {
  const outcome o = scenario("quit-while-waiting");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("SIGQUIT: quit\n") && Contains("fiber 1 [") && Contains("started at"));
  CHECK(count(o.err, "sentry [chan receive]:") == 3);
  CHECK(count(o.err, "wait_at_the_gate") == 1);  // they stand at the same place
  CHECK(count(o.err, "3 fibers with this stack") == 1);
}

TEST_CASE("SIGQUIT shows the stacks of fibers that run on all threads", "[diag][quit][DL-25]") {
  if (weft::detail::under_tsan) {
    WARN("TSan holds back signals of threads that call nothing");
    return;
  }
  const outcome o = scenario("quit-while-spinning");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(count(o.err, "[running]") >= 4);
  CHECK_THAT(o.err, Contains("spin_round_and_round<1>") && Contains("spin_round_and_round<2>") &&
                        Contains("spin_round_and_round<3>") && Contains("spin_round_and_round<4>"));
}

TEST_CASE("SIGQUIT shows the stack of a blocking call", "[diag][quit][DL-25]") {
  if (weft::detail::under_tsan) return;  // as above
  const outcome o = scenario("quit-in-blocking-call");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, Contains("[blocking call]") && Contains("spin_round_and_round<1>"));
}

TEST_CASE("a process may go on after SIGQUIT where that was asked for", "[diag][quit]") {
  const outcome o = scenario("quit-and-continue");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "went on\n");
  CHECK(count(o.err, "SIGQUIT: quit") == 2);
  CHECK(count(o.err, "sentry [chan receive]") == 2);
}

TEST_CASE("a program's own way with SIGQUIT is left alone", "[diag][quit]") {
  const outcome handled = scenario("quit-has-handler");
  CAPTURE(handled.err);
  CHECK(handled.status == 0);
  CHECK(handled.out == "my own handler\n");
  const outcome ignored = scenario("quit-is-ignored");
  CHECK(ignored.status == 0);
  CHECK(ignored.err.empty());
}

TEST_CASE("without a world signals do what they always did", "[diag][quit][DL-27]") {
  CHECK(scenario("quit-after-the-world").status == 128 + SIGQUIT);
  if (crashes_are_ours()) CHECK(scenario("segv-after-the-world").status == 128 + SIGSEGV);
}

TEST_CASE("a stack overflow names the fiber, its stack and what to raise", "[diag][crash][GO-37]") {
  if (!crashes_are_ours()) return;
  const auto [name, size] = GENERATE(table<std::string, std::string>({{"overflows", "262144 bytes"},
                                                                      {"main-overflows", "262144 bytes"},
                                                                      {"overflows-own-size", "32768 bytes"},
                                                                      {"overflows-by-one-frame", "65536 bytes"}}));
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("fatal error: stack overflow\n") && Contains(size) && Contains("options.stack_size") &&
                        Contains("started at"));
  if (name == "overflows-by-one-frame") CHECK_THAT(o.err, Contains("one_huge_frame"));
  else CHECK_THAT(o.err, Contains("dig_deeper") && Contains("frames left out"));
  if (name == "overflows") CHECK_THAT(o.err, Contains("digger"));
}

TEST_CASE("a bad address ends the process by its signal, after the fiber was named", "[diag][crash][DL-22][DL-27]") {
  if (!crashes_are_ours()) return;
  const outcome o = scenario("writes-to-nowhere");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 128 + SIGSEGV);
  CHECK_THAT(o.err, StartsWith("fatal error: SIGSEGV") && Contains("address 0x0") && Contains("digger [running]") &&
                        Contains("write_to_nowhere") && Contains("started at"));
}

TEST_CASE("other signals of a fiber's own making are told, too", "[diag][crash][DL-27]") {
  if (!crashes_are_ours()) return;
  const outcome division = scenario("divides-by-zero");
  CAPTURE(division.err);
  CHECK(division.status == 128 + SIGFPE);
  CHECK_THAT(division.err, StartsWith("fatal error: SIGFPE") && Contains("fiber 1 [running]"));
  const outcome aborted = scenario("aborts");
  CAPTURE(aborted.err);
  CHECK(aborted.status == 128 + SIGABRT);
  CHECK_THAT(aborted.err, StartsWith("fatal error: SIGABRT") && Contains("fiber 1 [running]"));
}

TEST_CASE("a crash of a plain thread is no fiber's", "[diag][crash][DL-27]") {
  if (!crashes_are_ours()) return;
  const outcome o = scenario("plain-thread-writes-to-nowhere");
  CHECK(o.status == 128 + SIGSEGV);
  CHECK_THAT(o.err, !Contains("fiber"));
}

TEST_CASE("a program's own handler of a crash is called", "[diag][crash]") {
  if (!crashes_are_ours()) return;
  const outcome o = scenario("segv-has-handler");
  CAPTURE(o.err);
  CHECK(o.status == 9);
  CHECK(o.out == "my own handler\n");
}
