// Stacks: guarded, many, and given back.
#include "runtime/stack.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scale.h"

using namespace weft::detail;
using namespace weft::testing;

namespace {

outcome scenario(const std::string& name) { return run_child({beside_this_program("runtime_scenarios"), name}); }

bool guards_cost_no_mapping() {
  void* page = mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool works = madvise(page, page_size, 102 /* MADV_GUARD_INSTALL */) == 0;
  munmap(page, page_size);
  return works;
}

long mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
}

// Whether the byte at `at` can be read, asked of the kernel.
class readable {
 public:
  readable() { REQUIRE(pipe(ends_) == 0); }
  ~readable() {
    close(ends_[0]);
    close(ends_[1]);
  }
  bool operator()(const std::byte* at) {
    if (write(ends_[1], at, 1) != 1) return false;
    char c;
    return read(ends_[0], &c, 1) == 1;
  }

 private:
  int ends_[2];
};

std::size_t resident_pages(const stack& s) {
  std::vector<unsigned char> pages(s.size() / page_size);
  if (mincore(s.bottom, s.size(), pages.data()) != 0) return 0;
  return static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return p & 1; }));
}

void touch_all(const stack& s) { std::memset(s.bottom, 0x5a, s.size()); }

}  // namespace

TEST_CASE("whoever runs over the end of a stack faults at once", "[runtime][stack][GO-36]") {
  const auto name = GENERATE(as<std::string>(), "writes-into-guard", "writes-into-bottom-of-guard");
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.out == "writing\n");
  CHECK(o.status == 128 + SIGSEGV);
}

TEST_CASE("all of a stack but its guard can be written", "[runtime][stack]") {
  const auto name = GENERATE(as<std::string>(), "writes-above-guard", "writes-below-top");
  const outcome o = scenario(name);
  CAPTURE(name, o.err, o.timed_out);
  CHECK(o.status == 0);

  stack_arena arena(64 << 10);
  const stack s = arena.take();
  touch_all(s);
  CHECK(s.guard() == s.bottom - default_guard_size);
  CHECK(s.top() == s.bottom + (64 << 10));
}

TEST_CASE("stacks do not overlap and each has its guard", "[runtime][stack]") {
  constexpr std::size_t size = 16 << 10;
  stack_arena arena(size);
  readable can_read;
  std::set<std::byte*> bottoms;
  for (int i = 0; i < 3000; ++i) {  // several pieces
    const stack s = arena.take();
    REQUIRE(s.size() == size);
    REQUIRE(reinterpret_cast<std::uintptr_t>(s.bottom) % page_size == 0);
    bottoms.insert(s.bottom);
    REQUIRE_FALSE(can_read(s.guard()));
    REQUIRE_FALSE(can_read(s.bottom - 1));
    REQUIRE(can_read(s.bottom));
    REQUIRE(can_read(s.top() - 1));
  }
  REQUIRE(bottoms.size() == 3000);
  for (auto at = bottoms.begin(); std::next(at) != bottoms.end(); ++at)
    REQUIRE(*std::next(at) - *at >= static_cast<std::ptrdiff_t>(size));
}

TEST_CASE("a hundred thousand stacks with guards of 64 KiB need a few dozen mappings", "[runtime][stack]") {
  if (!guards_cost_no_mapping()) {
    WARN("this kernel has no MADV_GUARD_INSTALL");
    return;
  }
  // A sanitizer keeps books on every mapping and looks into every stack at the end.
  const int n = sanitized ? 2000 : 100'000;
  stack_arena arena(256 << 10);
  const long before = mappings();
  stack last;
  for (int i = 0; i < n; ++i) last = arena.take();
  CHECK(mappings() - before < 100);
  readable can_read;
  CHECK_FALSE(can_read(last.guard()));
  CHECK(can_read(last.bottom));
}

TEST_CASE("a stack costs no memory before it is touched", "[runtime][stack]") {
  stack_arena arena(256 << 10);
  const stack s = arena.take();
  CHECK(resident_pages(s) == 0);
  *static_cast<volatile std::byte*>(s.top() - 1) = std::byte{1};
  CHECK(resident_pages(s) == 1);  // one page, not a huge one
}

TEST_CASE("a stack that rests gives its memory back and keeps its guard", "[runtime][stack]") {
  stack_arena arena(256 << 10);
  const std::vector<stack> all{arena.take(), arena.take(), arena.take()};
  for (const stack& s : all) {
    touch_all(s);
    REQUIRE(resident_pages(s) >= s.size() / page_size);
  }
  arena.rest(all.data(), all.size());
  readable can_read;
  for (const stack& s : all) {
    CHECK(resident_pages(s) == 0);
    CHECK_FALSE(can_read(s.guard()));
    CHECK_FALSE(can_read(s.bottom - 1));
  }
}

TEST_CASE("rested stacks are taken before new ones and are empty", "[runtime][stack]") {
  stack_arena arena(64 << 10);
  std::vector<stack> all;
  for (int i = 0; i < 10; ++i) all.push_back(arena.take());
  for (const stack& s : all) touch_all(s);
  arena.rest(all.data(), 4);
  std::set<std::byte*> rested, again;
  for (std::size_t i = 0; i < 4; ++i) {
    rested.insert(all[i].bottom);
    const stack s = arena.take();
    again.insert(s.bottom);
    CHECK(*s.bottom == std::byte{0});
    CHECK(*(s.top() - 1) == std::byte{0});
  }
  CHECK(rested == again);
  const stack fresh = arena.take();
  CHECK(std::none_of(all.begin(), all.end(), [&](const stack& s) { return s.bottom == fresh.bottom; }));
}

TEST_CASE("an arena lists every stack that it has ever handed out, once", "[runtime][stack]") {
  stack_arena arena(64 << 10);
  std::set<std::byte*> taken, listed;
  const auto list = [&] {
    listed.clear();
    std::size_t n = 0;
    arena.for_each([&](const stack& s) {
      listed.insert(s.bottom);
      ++n;
    });
    return n;
  };
  CHECK(list() == 0);
  for (int i = 0; i < 700; ++i) {
    const stack s = arena.take();
    taken.insert(s.bottom);
    if (i % 7 == 0) arena.rest(&s, 1);
  }
  CHECK(list() == taken.size());
  CHECK(listed == taken);
}

TEST_CASE("sizes are rounded up to pages, and each size has one arena", "[runtime][stack]") {
  CHECK(arena_for(100'000).stack_size() == 25 * page_size);
  CHECK(&arena_for(100'000) == &arena_for(25 * page_size));
  CHECK(&arena_for(64 << 10) == &arena_for(64 << 10));
  CHECK(&arena_for(64 << 10) != &arena_for(68 << 10));
  bool found = false;
  for_each_arena(
      [](stack_arena& a, void* arg) {
        if (a.stack_size() == 25 * page_size) *static_cast<bool*>(arg) = true;
      },
      &found);
  CHECK(found);
}

TEST_CASE("stacks as large as can be asked for are handed out", "[runtime][stack]") {
  stack_arena arena(max_stack_size);
  const stack a = arena.take(), b = arena.take();
  CHECK(a.bottom != b.bottom);
  *static_cast<volatile std::byte*>(a.bottom) = std::byte{1};
  *static_cast<volatile std::byte*>(b.top() - 1) = std::byte{1};
  CHECK(resident_pages(a) == 1);
}

TEST_CASE("threads take and rest stacks at once without sharing one", "[runtime][stack]") {
  stack_arena arena(64 << 10);
  std::atomic<int> shared = 0;
  std::vector<std::thread> threads;
  for (int who = 1; who <= 4; ++who)
    threads.emplace_back([&, who] {
      for (int i = 0; i < scaled(5000); ++i) {
        const stack s = arena.take();
        auto* mark = reinterpret_cast<int*>(s.top()) - 1;
        if (*mark != 0) ++shared;
        *mark = who;
        if (i % 16 == 0) std::this_thread::yield();
        if (*mark != who) ++shared;
        arena.rest(&s, 1);
      }
    });
  for (auto& t : threads) t.join();
  CHECK(shared == 0);
}
