// What a program can see of its fibers: dumps, counters, a timeline, fibers that were left.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/testing.h>
#include <weft/timeline.h>
#include <weft/wait_group.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/examples/examples.h"

namespace {

// A dump lists every fiber with its state, what it waits for, and its stack. SIGQUIT prints the
// same.
void dump_fibers() {
  auto never = weft::make_chan<int>();
  weft::go({.name = "consumer"}, [never] { never.recv(); });
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = ::open_memstream(&text, &size);
  weft::dump_fibers(out);
  std::fclose(out);
  const std::string dump(text, size);
  std::free(text);
  if (dump.find("consumer") != dump.npos) std::puts("the dump shows the consumer");
  never.close();
}
// Prints:
// the dump shows the consumer

// Counters of the world, from its beginning.
void stats() {
  const weft::runtime_stats before = weft::stats();
  weft::wait_group group;
  for (int i = 0; i < 10; ++i) group.go([] {});
  group.wait();
  std::printf("%d fibers started\n", static_cast<int>(weft::stats().spawned - before.spawned));
}
// Prints:
// 10 fibers started

// Which fiber ran where and when, for pictures of a program.
void timeline() {
  weft::timeline::start();
  auto done = weft::make_chan<void>();
  weft::go({.name = "worker"}, [done] { done.close(); });
  done.recv();
  const std::vector<weft::timeline::stretch> all = weft::timeline::stop();
  if (std::ranges::any_of(all, [](const auto& s) { return s.name == "worker" && s.p != weft::timeline::no_p; }))
    std::puts("the worker ran on a P");
}
// Prints:
// the worker ran on a P

// A test checks that it leaves no fiber. Without a function of its own the check ends the process
// with status 2.
void leak_check() {
  auto never = weft::make_chan<int>();
  {
    const weft::testing::leak_check check([](const std::string& report) {
      if (!report.empty()) std::puts("a fiber is left");
    });
    weft::go([never] { never.recv(); });
  }
  never.close();
  if (weft::testing::find_leaks().empty()) std::puts("now there is none");
}
// Prints:
// a fiber is left
// now there is none

// A check can ignore fibers that exist on purpose.
void ignore_fibers() {
  auto stop = weft::make_chan<void>();
  weft::go({.name = "service"}, [stop] { stop.recv(); });
  const std::vector<weft::testing::ignore> known = {weft::testing::ignore::current()};
  std::puts(weft::testing::find_leaks(known).empty() ? "no other fiber" : "others");
  stop.close();
}
// Prints:
// no other fiber

const examples::group diagnosis({
    {"dump_fibers", dump_fibers},
    {"stats", stats},
    {"timeline", timeline},
    {"leak_check", leak_check},
    {"ignore_fibers", ignore_fibers},
});

}  // namespace
