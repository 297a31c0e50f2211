// Ways for a process to end without a world, one a name: `runtime_scenarios NAME`.
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/fatal.h"
#include "runtime/stack.h"

using namespace weft::detail;

namespace {

constexpr std::size_t stack_size = 64 << 10;

// Writes one byte `offset` from the bottom of the n-th stack, and says so first.
int write_into_stack(int n, std::ptrdiff_t offset) {
  signal(SIGSEGV, SIG_DFL);  // a sanitizer has a handler of its own
  stack s;
  for (int i = 0; i < n; ++i) s = arena_for(stack_size).take();
  std::puts("writing");
  std::fflush(stdout);
  *static_cast<volatile std::byte*>(s.bottom + offset) = std::byte{1};
  return 0;
}

int log_from_four_threads() {
  std::vector<std::thread> threads;
  for (int who = 0; who < 4; ++who)
    threads.emplace_back([who] {
      for (int i = 0; i < 200; ++i) log_line("line of thread " + std::to_string(who) + " from end to end");
    });
  for (auto& t : threads) t.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc == 2 ? argv[1] : "";
  if (name == "writes-into-guard") return write_into_stack(1, -1);
  if (name == "writes-into-bottom-of-guard") return write_into_stack(3, -std::ptrdiff_t{default_guard_size});
  if (name == "writes-above-guard") return write_into_stack(3, 0);
  if (name == "writes-below-top") return write_into_stack(3, stack_size - 1);
  if (name == "fatal") fatal("the keel broke");
  if (name == "logs-from-four-threads") return log_from_four_threads();
  std::fprintf(stderr, "unknown scenario '%s'\n", name.c_str());
  return 64;
}
