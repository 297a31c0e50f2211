// Calls in the wrong place and options out of range: the panic says what was wrong, to the letter.
#include <weft/timeline.h>

#include <climits>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;

namespace {

// What the panic that `f` throws says; empty if it throws none.
template <class F>
std::string panic_text(F f) {
  try {
    f();
  } catch (const panic& p) {
    return p.what();
  }
  return {};
}

struct misuse {
  const char* what;
  std::function<void()> call;
  const char* text;
};

// All of these are for fibers only.
const misuse outside_a_fiber[] = {
    {"goexit", [] { goexit(); }, "goexit: called outside a fiber"},
    {"lock_os_thread", [] { lock_os_thread(); }, "lock_os_thread: called outside a fiber"},
    {"unlock_os_thread", [] { unlock_os_thread(); }, "unlock_os_thread: called outside a fiber"},
    {"timeline::start", [] { timeline::start(); }, "timeline::start: called outside a fiber"},
    {"timeline::stop", [] { timeline::stop(); }, "timeline::stop: called outside a fiber"},
};

// These need a world.
const misuse without_a_world[] = {
    {"go", [] { go([] {}); }, "go: no world is running; start one with weft::run"},
    {"go with options", [] { go(fiber_options{.name = "x"}, [] {}); },
     "go: no world is running; start one with weft::run"},
    {"maxprocs", [] { maxprocs(2); }, "maxprocs: no world is running; set options.maxprocs instead"},
};

void check(const misuse& m) {
  CAPTURE(m.what);
  CHECK(panic_text(m.call) == m.text);
}

}  // namespace

TEST_CASE("what only a fiber may do panics on a plain thread without a world", "[sched][misuse]") {
  for (const misuse& m : outside_a_fiber) check(m);
}

TEST_CASE("what only a fiber may do panics on a plain thread beside a world", "[sched][misuse]") {
  in_world(GENERATE(1, 2), [] {
    std::thread other([] {
      for (const misuse& m : outside_a_fiber) check(m);
      CHECK(panic_text([] { maxprocs(2); }) == "maxprocs: set from outside a fiber");
    });
    blocking([&] { other.join(); });
  });
}

TEST_CASE("inside a blocking call a fiber counts as a plain thread", "[sched][misuse]") {
  in_world(GENERATE(1, 2), [] {
    blocking([] {
      for (const misuse& m : outside_a_fiber) check(m);
      CHECK(panic_text([] { maxprocs(2); }) == "maxprocs: set from outside a fiber");
    });
    yield();  // and is a fiber again
    CHECK(this_fiber::id() == 1);
  });
}

TEST_CASE("what needs a world panics before the first and after the last", "[sched][misuse]") {
  for (const misuse& m : without_a_world) check(m);
  in_world(1, [] {});
  for (const misuse& m : without_a_world) check(m);
}

TEST_CASE("what may be asked without a world has an answer", "[sched][misuse]") {
  CHECK(maxprocs() >= 1);
  CHECK(maxprocs() <= 1024);
  CHECK(num_cpu() >= 1);
  CHECK(num_fibers() == 0);
  CHECK(stats().spawned == 0);
  CHECK(blocking([] { return 3; }) == 3);
}

TEST_CASE("a world's options out of range are refused by name and range", "[sched][misuse]") {
  const auto refusal = [](const options& o) {
    bool ran = false;
    std::string text = panic_text([&] { run(o, [&] { ran = true; }); });
    CHECK_FALSE(ran);
    return text;
  };
  CHECK(refusal({.maxprocs = -1}) == "options.maxprocs -1 out of range: 0 (default) to 1024");
  CHECK(refusal({.maxprocs = 2000}) == "options.maxprocs 2000 out of range: 0 (default) to 1024");
  CHECK(refusal({.stack_size = 0}) == "stack size 0 out of range: 16384 to 1073741824 bytes");
  CHECK(refusal({.stack_size = 1}) == "stack size 1 out of range: 16384 to 1073741824 bytes");
  CHECK(refusal({.stack_size = 16383}) == "stack size 16383 out of range: 16384 to 1073741824 bytes");
  CHECK(refusal({.stack_size = (1u << 30) + 1}) == "stack size 1073741825 out of range: 16384 to 1073741824 bytes");
  CHECK(refusal({.stack_size = SIZE_MAX}) == "stack size 18446744073709551615 out of range: 16384 to 1073741824 bytes");
  CHECK(refusal({.max_threads = 0}) == "options.max_threads 0 out of range: at least 1");
  CHECK(refusal({.max_threads = -4}) == "options.max_threads -4 out of range: at least 1");
}

TEST_CASE("a fiber's stack size out of range is refused and nothing is started", "[sched][misuse]") {
  in_world(1, [] {
    const auto start = [](std::size_t size) { go(fiber_options{.stack_size = size}, [] {}); };
    CHECK(panic_text([&] { start(1); }) == "stack size 1 out of range: 16384 to 1073741824 bytes");
    CHECK(panic_text([&] { start(std::size_t{2} << 30); }) ==
          "stack size 2147483648 out of range: 16384 to 1073741824 bytes");
    CHECK(num_fibers() == 1);
    CHECK(panic_text([&] { start(0); }) == "");  // 0 is the world's
  });
}

TEST_CASE("options at the ends of their ranges are taken", "[sched][misuse]") {
  CHECK(run(options{.maxprocs = 1, .stack_size = 1u << 30, .max_threads = 1}, [] { return 4; }) == 4);
  const std::size_t smallest = 16 << 10;
  CHECK(run(options{.maxprocs = 2, .stack_size = smallest}, [] {
          auto c = make_chan<int>();
          go([c] { c.send(5); });
          return c.recv().value();
        }) == 5);
}

TEST_CASE("maxprocs below 1 only queries", "[sched][maxprocs]") {
  CHECK(maxprocs(-1) == maxprocs());
  in_world(3, [] {
    for (const int n : {0, -1, -1000, INT_MIN}) CHECK(maxprocs(n) == 3);
    CHECK(maxprocs() == 3);
  });
}

TEST_CASE("maxprocs out of range is refused from a fiber and changes nothing", "[sched][misuse]") {
  in_world(3, [] {
    CHECK(panic_text([] { maxprocs(1025); }) == "maxprocs: 1025 out of range: at most 1024");
    CHECK(maxprocs() == 3);
  });
}

TEST_CASE("a world inside a world or beside one is refused", "[sched][misuse]") {
  in_world(2, [] {
    CHECK(panic_text([] { run([] {}); }) == "run: called from inside a fiber");
    std::string beside;
    std::thread other([&] { beside = panic_text([] { run([] {}); }); });
    blocking([&] { other.join(); });
    CHECK(beside == "run: another world is running in this process");
    CHECK(blocking([] { return panic_text([] { run([] {}); }); }) == "run: another world is running in this process");
  });
}

TEST_CASE("a timeline is started and stopped in turn", "[sched][misuse]") {
  in_world(1, [] {
    CHECK(panic_text([] { timeline::stop(); }) == "timeline::stop: no recording is on");
    timeline::start();
    CHECK(panic_text([] { timeline::start(); }) == "timeline::start: a recording is on already");
    CHECK_FALSE(timeline::stop().empty());
  });
}
