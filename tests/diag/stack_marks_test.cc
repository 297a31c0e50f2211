// WEFT_DEBUG=stacks: how far down fibers use their stacks.
#include <weft/weft.h>

#include <algorithm>
#include <atomic>

#include "tests/diag/scenario.h"
#include "tests/support/environment.h"
#include "tests/support/fibers.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

namespace {

constexpr std::size_t deep = 100 << 10;

[[gnu::noinline]] void use_stack(std::size_t bytes) {
  auto* volatile room = static_cast<volatile char*>(__builtin_alloca(bytes));
  for (std::size_t i = 0; i < bytes; i += 1024) room[i] = 1;
}

stack_use of_function(const std::vector<stack_use>& all, const char* part) {
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const stack_use& u) { return u.started_at.find(part) != std::string::npos; });
  return at == all.end() ? stack_use{} : *at;
}

[[gnu::noinline]] void start_deep(wait_group& all) {
  for (int i = 0; i < 10; ++i) all.go([i] { use_stack(i == 7 ? deep : 100); });
}
[[gnu::noinline]] void start_shallow(wait_group& all) {
  for (int i = 0; i < 40; ++i) all.go([] { use_stack(100); });
}

}  // namespace

TEST_CASE("the deepest use of a stack is known by go statement, and a used stack charges nobody else", "[diag]") {
  const variable asks("WEFT_DEBUG", "stacks");
  std::vector<stack_use> seen, while_alive;
  in_world(GENERATE(1, 2, 4), [&] {
    wait_group all;
    start_deep(all);
    all.wait();
    start_shallow(all);  // on the same stacks
    all.wait();
    seen = stats().stacks;
    chan<void> end = make_chan<void>();
    all.go([=] {
      use_stack(deep);
      end.recv();
    });
    yield();
    while (num_fibers() < 2) yield();
    sleep(std::chrono::milliseconds(1));
    while_alive = stats().stacks;
    end.close();
    all.wait();
  });
  CHECK(std::is_sorted(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.most > b.most; }));
  if (!has_lines) return;  // no names to look for
  const stack_use dug = of_function(seen, "start_deep"), flat = of_function(seen, "start_shallow");
  CAPTURE(dug.most, flat.most);
  CHECK(dug.fibers == 10);
  CHECK(dug.most > deep);
  CHECK(dug.most < 2 * deep);
  CHECK(dug.size == 256 << 10);
  CHECK(flat.fibers == 40);
  CHECK(flat.most < deep / 2);
  CHECK(flat.most >= 4096);
  CHECK(while_alive.front().most > deep);
  CHECK(while_alive.size() > seen.size());
}

TEST_CASE("a fiber that is just ending is neither forgotten nor counted twice", "[diag]") {
  const variable asks("WEFT_DEBUG", "stacks");
  std::size_t least = std::size_t{1} << 40;
  std::uint64_t most_fibers = 0;
  for (int i = 0; i < scaled(100); ++i)
    in_world(2, [&] {
      std::atomic<bool> dug = false;
      go([&] {
        use_stack(deep);
        dug = true;
      });
      while (!dug) yield();
      do {
        const auto seen = stats().stacks;
        least = std::min(least, seen.empty() ? 0 : seen.front().most);
        for (const stack_use& u : seen) most_fibers = std::max(most_fibers, u.fibers);
      } while (num_fibers() > 1);
      const auto seen = stats().stacks;
      least = std::min(least, seen.empty() ? 0 : seen.front().most);
    });
  CHECK(least > deep);
  CHECK(most_fibers == 1);
}

TEST_CASE("without being asked for stacks nothing is told of them", "[diag]") {
  in_world(1, [] { CHECK(stats().stacks.empty()); });
}

TEST_CASE("the use of stacks is told when run returns", "[diag]") {
  const outcome o =
      run_child({"/usr/bin/env", "WEFT_DEBUG=stacks", beside_this_program("diag_scenarios"), "ends-well"});
  CAPTURE(o.err);
  CHECK(o.status == 0);
  CHECK_THAT(o.err, Contains("weft: stacks used, at most, in bytes\n") && Contains("1 fiber started at weft::run\n"));
}
