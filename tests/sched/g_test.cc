// Where a fiber's record lies on its stack.
#include "sched/g.h"

#include <set>
#include <vector>

#include "sched/g_cache.h"
#include "tests/support/catch.h"
#include "tests/support/scale.h"

using namespace weft::detail;

TEST_CASE("Gs of neighbouring stacks fall into different sets of the cache", "[sched][stack]") {
  const std::size_t size = GENERATE(std::size_t{16} << 10, std::size_t{256} << 10, std::size_t{100} << 10);
  stack_arena arena(size);
  std::set<std::uintptr_t> places;
  for (int i = 0; i < 16; ++i) places.insert(reinterpret_cast<std::uintptr_t>(g_of(arena.take())) % page_size);
  CHECK(places.size() == 16);
  for (std::uintptr_t at : places) CHECK(at % 64 == 0);
}

TEST_CASE("a G lies within the highest page of its stack and leaves most of it to frames", "[sched][stack]") {
  stack_arena arena(64 << 10);
  for (int i = 0; i < 64; ++i) {
    const stack s = arena.take();
    const auto* g = reinterpret_cast<const std::byte*>(g_of(s));
    CHECK(g + sizeof(G) <= s.top());
    CHECK(s.top() - g <= static_cast<std::ptrdiff_t>(page_size / 2));
  }
}

TEST_CASE("what a switch needs of a G lies in one cache line", "[sched][stack]") {
  if (weft::testing::sanitized || !WEFT_INLINE_SWITCH) return;  // there is more to be saved then
  G* g = make_g(arena_for(64 << 10));
  const auto line_of_end = [g](const auto& member) {
    return (reinterpret_cast<const std::byte*>(&member + 1) - 1 - reinterpret_cast<const std::byte*>(g)) / 64;
  };
  CHECK(reinterpret_cast<std::uintptr_t>(g) % 64 == 0);
  CHECK(line_of_end(g->next) == 0);
  CHECK(line_of_end(g->flags) == 0);
  CHECK(line_of_end(g->state) == 0);
  CHECK(line_of_end(g->reason) == 0);
  CHECK(line_of_end(g->context.at) == 0);
  CHECK(line_of_end(g->context.uncaught) == 0);
  CHECK(line_of_end(g->context.left_at) == 0);
  rest_g(g);
}

TEST_CASE("a G that is made anew is free and lies where its stack says", "[sched][stack]") {
  G* g = make_g(arena_for(64 << 10));
  CHECK(g == g_of(g->where));
  CHECK(g->state.load() == g_state::free);
  CHECK(g->started);
  CHECK(g->stack_top == reinterpret_cast<std::byte*>(g));
  rest_g(g);
}
