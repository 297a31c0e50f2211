// Frames larger than what is left of a stack, threads that end, memory that is used up, processes
// that fork.
#include "runtime/sanitizer.h"
#include "tests/diag/scenario.h"

using namespace weft::testing;

namespace {

bool crashes_are_ours() {
  if (!weft::detail::under_asan && !weft::detail::under_tsan) return true;
  WARN("crash signals belong to the sanitizer here");
  return false;
}

}  // namespace

TEST_CASE("a frame larger than the rest of its stack is reported, at each distance", "[diag][crash]") {
  if (!crashes_are_ours()) return;
  const auto name = GENERATE(as<std::string>(), "leaps-8-KiB", "leaps-16-KiB", "leaps-60-KiB", "leaps-300-KiB",
                             "leaps-2-MiB", "leaps-by-alloca", "leaps-by-channel");
  const outcome o = scenario(name);
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("fatal error: stack overflow\n") && Contains("started at"));
}

TEST_CASE("an overflow of a borrowed stack says so", "[diag][crash][with_stack]") {
  if (!crashes_are_ours()) return;
  const outcome o = scenario("overflows-with-stack");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("fatal error: stack overflow\n") && Contains("1048576 bytes") &&
                        Contains("call weft::with_stack with more") && Contains("dig_deeper"));
}

TEST_CASE("dumps and panics show the frames on both stacks", "[diag][quit][with_stack]") {
  const outcome quit = scenario("quit-with-stack");
  CAPTURE(quit.err, quit.timed_out);
  CHECK(quit.status == 2);
  CHECK_THAT(quit.err, Contains("wait_at_the_gate"));
  // Of two fibers, below their last frames, on the other stack. One of them sends SIGQUIT and then
  // sleeps. While it still runs, TSan delays the signal to its thread, and the dump has no frames
  // of it.
  const auto shown = count(quit.err, "borrow_and(");
  CHECK(shown <= 2);
  CHECK(shown >= (weft::detail::under_tsan ? 1 : 2));
  const outcome panic = scenario("throws-with-stack");
  CAPTURE(panic.err);
  CHECK(panic.status == 2);
  CHECK_THAT(panic.err, StartsWith("panic: std::runtime_error: the boiler burst") && Contains("borrow_and"));
  if (!weft::detail::under_asan) CHECK_THAT(panic.err, Contains("stoke_the_boiler"));  // there it is thrown again
}

TEST_CASE("a crash ends the process though its address has been mapped meanwhile", "[diag][crash]") {
  if (!crashes_are_ours()) return;
  for (int i = 0; i < 20; ++i) {
    const outcome o = scenario("reads-what-will-be-mapped");
    CAPTURE(i, o.out, o.err, o.timed_out);
    REQUIRE(o.status == 128 + SIGSEGV);
    REQUIRE_THAT(o.err, StartsWith("fatal error: SIGSEGV") && Contains("read_what_will_be_mapped"));
    REQUIRE(o.out.empty());
  }
}

TEST_CASE("pthread_exit in a fiber is a panic that says so", "[diag][panic]") {
  if (weft::detail::under_tsan) return;  // it checks for itself which thread ends
  const auto name = GENERATE(as<std::string>(), "pthread-exit", "pthread-exit-of-another-m", "pthread-exit-in-async",
                             "pthread-exit-in-a-group", "pthread-exit-in-once", "pthread-exit-in-a-branch");
  const outcome o = scenario(name);
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("panic: pthread_exit or pthread_cancel in a fiber") && Contains("[running]") &&
                        Contains("started at"));
}

TEST_CASE("a panic for which no memory is left keeps its reason", "[diag][panic]") {
  if (weft::detail::under_asan || weft::detail::under_tsan) return;  // they allocate themselves
  const outcome o = scenario("throws-without-memory");
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  // Its type as the compiler names it where there is no memory to write it out.
  CHECK_THAT(o.err, StartsWith("panic: std::runtime_error: the boiler burst\n") ||
                        StartsWith("panic: St13runtime_error: the boiler burst\n"));
}

TEST_CASE("a verdict that foreign threads keep back is named once", "[diag][deadlock]") {
  const outcome o = scenario("deadlock-beside-a-foreign-thread");
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 7);
  CHECK(count(o.err, "no deadlock is reported: 1 thread of this process is not weft's") == 1);
  const outcome quit = scenario("quit-beside-a-foreign-thread");
  CAPTURE(quit.err, quit.timed_out);
  CHECK(quit.status == 2);
  CHECK_THAT(quit.err,
             StartsWith("SIGQUIT: quit\n") && Contains("1 thread of this process is not weft's and may wake a fiber"));
}

TEST_CASE("a thread that is parked in weft does not keep a verdict back", "[diag][deadlock]") {
  const auto name =
      GENERATE(as<std::string>(), "deadlock-beside-a-parked-thread", "a-parked-thread-is-the-last-to-wait");
  const outcome o = scenario(name);
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("fatal error: all fibers are asleep - deadlock!\n"));
  CHECK(count(o.err, "deadlock!") == 1);
}

TEST_CASE("SIGQUIT that the process has inherited ignored shows the fibers and ends it", "[diag][quit]") {
  const outcome o = run_child(
      {"/bin/sh", "-c", "trap '' QUIT; exec \"$0\" quit-while-waiting", beside_this_program("diag_scenarios")}, 120);
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK_THAT(o.err, StartsWith("SIGQUIT: quit\n") && Contains("sentry [chan receive]:"));
}

TEST_CASE("a server runs worlds in children that it forks after a world", "[diag][fork]") {
  if (weft::detail::under_tsan) return;  // it supports no threads after the fork of a process with threads
  const auto name = GENERATE(as<std::string>(), "prefork-epoll", "prefork-io_uring");
  const outcome o = scenario(name);
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 0);
  CHECK(o.out == "served\n");
}

TEST_CASE("a child that was forked in a fiber is told at its first call into weft", "[diag][fork]") {
  if (weft::detail::under_tsan) return;  // as above
  const auto name = GENERATE(as<std::string>(), "forked-fiber-sleeps", "forked-fiber-goes", "forked-fiber-runs",
                             "forked-fiber-sends");
  const outcome o = scenario(name);
  CAPTURE(name, o.out, o.err, o.timed_out);
  CHECK(o.status == 2);
  CHECK(count(o.err, "fatal error: fork in a fiber: this child process has no threads") == 1);
  const outcome left = scenario("forked-fiber-leaves");
  CAPTURE(left.out, left.err);
  CHECK(left.status == 0);
  CHECK(left.out == "left\n");
}

TEST_CASE("a child that was forked in blocking() ends with words when it returns to its fiber", "[diag][fork]") {
  if (weft::detail::under_tsan) return;  // as above
  const outcome o = scenario("fork-returns-in-blocking");
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 2);  // the child's
  CHECK(count(o.err, "fatal error: fork in a fiber: this child process has no threads") == 1);
  CHECK(o.out.empty());
}

TEST_CASE("a child that a plain thread forked beside a world runs one of its own", "[diag][fork]") {
  if (weft::detail::under_tsan) return;  // as above
  const outcome o = scenario("forked-beside-a-world");
  CAPTURE(o.out, o.err, o.timed_out);
  CHECK(o.status == 0);
}

TEST_CASE("a crash on a borrowed stack shows the frames of both stacks", "[diag][crash][with_stack][DL-26]") {
  if (!crashes_are_ours()) return;
  const outcome o = scenario("crashes-with-stack");
  CAPTURE(o.err, o.timed_out);
  CHECK(o.status == 128 + SIGSEGV);
  CHECK_THAT(o.err, StartsWith("fatal error: SIGSEGV") && Contains("borrow_and(") && Contains("started at weft::run"));
}
