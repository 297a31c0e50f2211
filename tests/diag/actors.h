// What the scenarios are made of: functions with names to look for in their stacks.
#pragma once
#include <signal.h>
#include <unistd.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>

using scenario_map = std::map<std::string, int (*)()>;
extern const scenario_map fault_scenarios, signal_scenarios;

using namespace weft;
using namespace std::chrono_literals;

namespace {

[[maybe_unused]] void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

[[maybe_unused]] int world(void (*main_fiber)(), int procs = 2) { return run(options{.maxprocs = procs}, main_fiber); }

// A call chain with names to look for. The asm keeps calls from becoming jumps.
#define WEFT_TEST_KEEP_FRAME asm volatile("" ::: "memory")

[[gnu::noinline, maybe_unused]] void light_the_fire(const char* what) { throw std::runtime_error(what); }
[[gnu::noinline, maybe_unused]] void stoke_the_boiler(const char* what) {
  light_the_fire(what);
  WEFT_TEST_KEEP_FRAME;
}
[[gnu::noinline, maybe_unused]] void wait_in_the_yard() {
  make_chan<int>().recv();
  WEFT_TEST_KEEP_FRAME;
}
[[gnu::noinline, maybe_unused]] void wait_at_the_gate() {
  wait_in_the_yard();
  WEFT_TEST_KEEP_FRAME;
}

[[gnu::noinline, maybe_unused]] void have_grandchildren() {
  go([] { stoke_the_boiler("the boiler burst"); });
}
[[gnu::noinline, maybe_unused]] void have_children() {
  go([] { have_grandchildren(); });
}

std::atomic<int> spinning{0};
template <int N>
[[gnu::noinline, maybe_unused]] void spin_round_and_round() {
  ++spinning;
  for (std::atomic<int> i = 0;; i += N) {
  }
}

std::atomic<bool> deep_enough{false};
[[gnu::noinline, maybe_unused]] int dig_deeper(int depth) {
  volatile char earth[64];
  earth[0] = static_cast<char>(depth);
  if (deep_enough) return 0;
  return dig_deeper(depth + 1) + earth[0];
}
[[gnu::noinline, maybe_unused]] int one_huge_frame() {
  volatile char earth[200'000];
  for (std::size_t i = 0; i < sizeof earth; i += 1000) earth[i] = 1;
  return earth[5000];
}
[[maybe_unused]] int* volatile nowhere = nullptr;
[[gnu::noinline, maybe_unused]] void write_to_nowhere() {
  *nowhere = 1;
  WEFT_TEST_KEEP_FRAME;
}

[[gnu::noinline, maybe_unused]] void stop_here_for_gdb(bool for_good) {
  if (for_good) std::abort();
  WEFT_TEST_KEEP_FRAME;
}
template <bool for_good>
int be_looked_at() {
  return world(
      [] {
        for (int i = 0; i < 2; ++i) go(fiber_options{.name = "sentry"}, [] { wait_at_the_gate(); });
        sleep(50ms);
        stop_here_for_gdb(for_good);
      },
      1);
}

[[maybe_unused]] void ask_for_a_dump_and_wait() {
  kill(getpid(), SIGQUIT);
  sleep(60s);
}

[[gnu::noinline, maybe_unused]] void in_a_region(void (*f)()) {
  const no_suspend region;
  f();
  WEFT_TEST_KEEP_FRAME;
}

}  // namespace
