// Dumps: every fiber with what it does, where it stands and where it was started.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "sched/coarse_clock.h"
#include "sched/current.h"
#include "sched/diagnosis/dump.h"
#include "sched/g.h"
#include "tests/diag/scenario.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

std::string dump() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* f = open_memstream(&text, &size);
  dump_fibers(f);
  std::fclose(f);
  std::string copy(text, size);
  std::free(text);
  return copy;
}

std::size_t fibers_in(const std::string& text) { return count("\n" + text, "\nfiber "); }

// A fiber that is meant to wait may still be on its way to where it waits.
void wait_until_parked(const char* part, std::size_t n) {
  const hang_guard guard("fibers park");
  while (count(dump(), part) < n) sleep(1ms);
}

[[gnu::noinline]] void wait_here(chan<void> until) {
  until.recv();
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void wait_there(chan<void> until) {
  until.recv();
  asm volatile("nop" ::: "memory");  // else it is folded into the one above
}
[[gnu::noinline]] void wait_deep(chan<void> until, int depth) {
  if (depth == 0) until.recv();
  else wait_deep(until, depth - 1);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] std::string dump_from_here() {
  std::string text = dump();
  asm volatile("" ::: "memory");
  return text;
}

}  // namespace

TEST_CASE("a dump has a block for every fiber, the caller's with its own stack", "[diag][dump][DIAG-01][GO-30]") {
  in_world(GENERATE(1, 2, 4), [] {
    auto until = make_chan<void>();
    for (int i = 0; i < 3; ++i) go([until] { wait_here(until); });
    go([until] { wait_there(until); });
    wait_until_parked("[chan receive]", 4);
    const std::string text = dump_from_here();
    CAPTURE(text);
    CHECK(fibers_in(text) == num_fibers());
    CHECK_THAT(text, StartsWith("fiber 1 [running]:") && Contains("dump_from_here"));
    CHECK(count(text, "wait_here") == 1);
    CHECK(count(text, "wait_there") == 1);
    CHECK_THAT(text, Contains("3 fibers with this stack"));
    until.close();
  });
}

TEST_CASE("a dump says precisely what a fiber waits for", "[diag][dump][DIAG-02]") {
  in_leaky_world(2, [] {
    mutex m;
    m.lock();
    wait_group w;
    w.add(1);
    auto c = make_chan<int>();
    go([c] { c.recv(); });
    go([] { chan<int>().recv(); });
    go([] { chan<int>().send(1); });
    go([c] { select(recv(c)); });
    go([] { select(); });
    go([] { sleep(1h); });
    go([&] { m.lock(); });
    go([&] { w.wait(); });
    for (const char* state : {"[chan receive]", "[chan receive (nil chan)]", "[chan send (nil chan)]",
                              "[select (no cases)]", "[sleep]", "[mutex lock, for fiber 1]", "[wait_group wait]"}) {
      INFO(state);
      wait_until_parked(state, 1);
    }
  });
}

TEST_CASE("a dump says for how many minutes a fiber has waited, from one on", "[diag][dump][DIAG-03]") {
  in_world(1, [] {
    auto until = make_chan<void>();
    const auto park_one = [&](const char* name, std::uint32_t s_ago) {
      detail::G* who = nullptr;
      go(fiber_options{.name = name}, [until, &who] {
        who = detail::self();
        until.recv();
      });
      wait_until_parked((std::string(name) + " [chan receive]:").c_str(), 1);
      who->context.left_at.store(detail::coarse_now_s() - s_ago);
    };
    park_one("just now", 0);
    park_one("fifty seconds", 50);
    park_one("a minute", 62);
    park_one("an hour", 3610);
    const std::string text = dump();
    CAPTURE(text);
    CHECK_THAT(text, Contains("just now [chan receive]:") && Contains("fifty seconds [chan receive]:"));
    CHECK_THAT(text, Contains("a minute [chan receive, 1 minute]:") && Contains("an hour [chan receive, 60 minutes]:"));
    until.close();
  });
}

TEST_CASE("the time of parking follows the clock", "[diag][dump][DIAG-03]") {
  in_world(GENERATE(1, 2), [] {
    auto& w = *detail::the_world();
    w.coarse_s.store(0);
    sleep(1ms);  // an M has slept and woken
    CHECK(detail::coarse_now_s() - w.coarse_s.load() <= 1);
  });
}

TEST_CASE("a dump says who is locked to a thread", "[diag][dump][DIAG-03]") {
  in_world(2, [] {
    auto until = make_chan<void>();
    go(fiber_options{.name = "fixed"}, [until] {
      lock_os_thread();
      until.recv();
      unlock_os_thread();
    });
    wait_until_parked("fixed [chan receive, locked to thread]", 1);
    until.close();
  });
}

TEST_CASE("a dump lists fibers that have not run yet", "[diag][dump][DIAG-01][GO-30]") {
  in_world(1, [] {
    for (int i = 0; i < 300; ++i) go(fiber_options{.name = "fresh"}, [] {});  // more than a ring holds
    const std::string text = dump();
    CHECK(count(text, " fresh [runnable, not run yet]:") == 300);
    CHECK(fibers_in(text) == num_fibers());
  });
}

TEST_CASE("a dump tells where a fiber runs that it cannot look at", "[diag][dump]") {
  in_world(2, [] {
    std::atomic<bool> running = false, stop = false;
    wait_group ended;  // before `stop` is gone
    ended.add(1);
    go(fiber_options{.name = "busy"}, [&] {
      running = true;
      while (!stop) {
      }
      ended.done();
    });
    while (!running) sleep(1ms);
    const std::string text = dump();
    CAPTURE(text);
    CHECK_THAT(text, Contains("busy [running]:\n\trunning on M "));
    stop = true;
    ended.wait();
  });
}

TEST_CASE("a very deep stack is shown from both ends, or as far as it is looked at", "[diag][dump]") {
  in_world(1, [] {
    auto until = make_chan<void>();
    go([until] { wait_deep(until, 300); });
    yield();
    const std::string text = dump();
    CAPTURE(text);
    CHECK_THAT(text, Contains("wait_deep"));
    CHECK_THAT(text, Contains("frames left out"));
    until.close();
  });
}

TEST_CASE("a plain thread may ask for a dump", "[diag][dump]") {
  in_world(2, [] {
    auto until = make_chan<void>();
    go([until] { wait_here(until); });
    wait_until_parked("[chan receive]", 1);
    std::string text;
    blocking([&] { std::thread([&] { text = dump(); }).join(); });
    CHECK_THAT(text, Contains("wait_here") && Contains("fiber 1 ["));
    until.close();
  });
}

TEST_CASE("dumps may be taken while fibers come and go", "[diag][dump][DIAG-07][stress]") {
  const hang_guard guard("dumps and fibers that come and go");
  in_world(GENERATE(1, 4), [] {
    std::atomic<bool> stop = false;
    wait_group all;
    auto c = make_chan<int>();
    for (int i = 0; i < 4; ++i)
      all.go([&] {
        while (!stop) {
          wait_group few;
          for (int n = 0; n < 20; ++n) {
            few.add(1);
            go(fiber_options{.name = "a name that is too long for the small string buffer"}, [&few] {
              yield();
              few.done();
            });
          }
          few.wait();
        }
      });
    all.go([&] {
      while (!stop) c.send(1);
      c.close();
    });
    all.go([&] {
      while (c.recv()) {
      }
    });
    all.add(1);
    go(fiber_options{.name = "bystander"}, [&] {
      while (!stop) sleep(1ms);
      all.done();
    });
    sleep(2ms);
    for (int i = 0; i < scaled(400); ++i) {
      const std::string text = dump();
      REQUIRE(count(text, " bystander [") == 1);
      REQUIRE(count(text, "\nfiber 1 [") + (text.starts_with("fiber 1 [") ? 1 : 0) == 1);
      yield();
    }
    stop = true;
    all.wait();
  });
}

TEST_CASE("a hundred thousand fibers are dumped in seconds", "[diag][dump]") {
  const int n = scaled(100'000);
  in_world(2, [n] {
    auto until = make_chan<void>();
    for (int i = 0; i < n; ++i) go([until] { wait_here(until); });
    const hang_guard guard("a large dump");
    while (count(dump(), "[chan receive]:\n") < static_cast<std::size_t>(n)) sleep(1ms);
    const auto began = std::chrono::steady_clock::now();
    const std::string text = dump();
    const auto took = std::chrono::steady_clock::now() - began;
    WARN("dumping " << n << " fibers took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                    << " ms");
    CHECK(fibers_in(text) == num_fibers());
    until.close();
  });
}

TEST_CASE("fibers that wait for each other in a circle are named, whatever else goes on", "[diag]") {
  const outcome o = scenario("waits-in-circles");
  CAPTURE(o.err, o.timed_out);
  REQUIRE(o.status == 0);
  CHECK_THAT(o.err, Contains("deadlock: 3 fibers wait for each other\n"));
  for (const char* line : {"(first) [mutex lock] waits for fiber ", "(second) [rw_mutex lock] waits for fiber ",
                           "(third) [mutex lock] waits for fiber ", "(alone) [mutex lock] waits for fiber "})
    CHECK(count(o.err, line) == 1);
  CHECK(count(o.err, "waits for itself\n") == 1);
  CHECK(count(o.err, "deadlock: ") == 2);
  CHECK(count(o.err, "[mutex lock, for fiber ") == 5);             // those, the bystander and the joined
  CHECK(count(o.err, "joiner [wait_group wait, for fiber ") == 1);  // behind the joined, in no circle
}

TEST_CASE("fibers with equal stacks are one block with their number", "[diag][dump][DIAG-06]") {
  in_world(GENERATE(1, 2), [] {
    auto until = make_chan<void>();
    for (int i = 0; i < 50; ++i) go([until] { wait_here(until); });
    for (int i = 0; i < 10; ++i) go([until] { wait_deep(until, 3); });
    go([until] { wait_deep(until, 5); });
    wait_until_parked("[chan receive]", 61);
    const std::string text = dump();
    CAPTURE(text);
    CHECK(count(text, "\n50 fibers with this stack:\n") == 1);
    CHECK(count(text, "\n10 fibers with this stack:\n") == 1);
    CHECK(count(text, "fibers with this stack") == 2);
    until.close();
  });
}

TEST_CASE("a dump counts the fibers in each state", "[diag][dump][DIAG-21]") {
  in_world(1, [] {
    std::atomic<bool> stop = false;
    wait_group all;
    for (int i = 0; i < 10; ++i)
      all.go([&stop] {
        while (!stop) yield();
      });
    const std::string text = dump();
    CHECK(count(text, "[running]") >= 1);
    CHECK(count(text, "[runnable") >= 9);
    stop = true;
    all.wait();
  });
}
