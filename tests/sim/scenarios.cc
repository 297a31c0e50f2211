// Programs for WEFT_SIM, one a name: `sim_scenarios NAME`. environment_test.cc says what comes of
// each.
#include <weft/sim.h>
#include <weft/weft.h>

#include <cstdio>
#include <string_view>

using namespace weft;

namespace {

int needs_stack(int n) {
  volatile char page[4096];
  page[0] = 1;
  return n == 0 ? 0 : needs_stack(n - 1) + page[0];
}

int loses_an_update() {
  std::puts("hello");
  int n = 0;
  wait_group all;
  for (int i = 0; i < 2; ++i)
    all.go([&] {
      const int seen = n;
      yield();
      n = seen + 1;
    });
  all.wait();
  sim::require(n == 2, "both count");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "passes")
    return run([] {
      std::puts("hello");
      return 5;
    });
  if (name == "loses-an-update") return run(loses_an_update);
  if (name == "needs-stack")
    return run(options{.stack_size = 8 << 20}, [] { return needs_stack(1000) == 1000 ? 0 : 1; });
  return 64;
}
