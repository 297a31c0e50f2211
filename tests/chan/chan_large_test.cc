// Elements so large that a fiber's stack has room for one of them, not for two.
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/select.h>
#include <weft/wait_group.h>

#include <algorithm>
#include <array>
#include <memory>

#include "tests/support/catch.h"
#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct page {
  std::array<unsigned char, 150 << 10> text;
  explicit page(unsigned char with = 0) noexcept { text.fill(with); }
};
static_assert(2 * sizeof(page) > options{}.stack_size);

bool all_of(const page& p, unsigned char with) {
  return std::all_of(p.text.begin(), p.text.end(), [with](unsigned char c) { return c == with; });
}

// Each in a frame of its own, which has one page or none.
[[gnu::noinline]] void send_made(const chan<page>& c) { c.send(page(8)); }
[[gnu::noinline]] void receive(const chan<page>& c, unsigned char with) {
  const auto got = c.recv();
  FACT(all_of(*got, with));
}
[[gnu::noinline]] void receive_in_time(const chan<page>& c, unsigned char with) {
  const auto got = c.recv_for(60s);
  FACT(all_of(*got, with));
}
[[gnu::noinline]] void select_one_of(const chan<page>& c, unsigned char with) {
  page got(1);
  select(recv(c, got));
  FACT(all_of(got, with));
}
[[gnu::noinline]] int receive_all(const chan<page>& c, unsigned char with) {
  int n = 0;
  for (const page& p : c) {
    FACT(all_of(p, with));
    ++n;
  }
  return n;
}

// Moves without throwing and cannot be copied.
struct crate {
  std::unique_ptr<int> what;
  std::array<char, 8 << 10> padding{};
};

}  // namespace

TEST_CASE("a large element is on a stack once, whatever way it goes", "[chan][large]") {
  const int procs = GENERATE(1, 2, 4, 16);
  const std::size_t cap = GENERATE(0u, 2u);
  CAPTURE(procs, cap);
  const auto seven = std::make_unique<page>(7);
  in_world(procs, [&] {
    const auto c = make_chan<page>(cap);
    go([&] {
      c.send(*seven);
      send_made(c);
      FACT(c.send_for(*seven, 60s));
      select(send(c, *seven));
      while (!c.try_send(*seven)) yield();
      c.close();
    });
    receive(c, 7);
    receive_in_time(c, 8);
    select_one_of(c, 7);
    FACT(receive_all(c, 7) == 2);
    select_one_of(c, 0);  // closed
  });
  report_broken_fact();
}

TEST_CASE("a large element that was not sent is as it was", "[chan][large]") {
  in_world(2, [] {
    const auto c = make_chan<crate>(1);
    crate mine{std::make_unique<int>(5)}, other{std::make_unique<int>(6)};
    FACT(c.try_send(std::move(mine)));
    FACT(!mine.what);
    FACT(!c.try_send(std::move(other)));
    FACT(other.what && *other.what == 6);
    FACT(!c.send_for(std::move(other), 1ms));
    FACT(other.what && *other.what == 6);
    FACT(*c.recv()->what == 5);
    c.close();
    bool threw = false;
    try {
      (void)c.try_send(std::move(other));
    } catch (const panic&) {
      threw = true;
    }
    FACT(threw);
    FACT(other.what && *other.what == 6);
  });
  report_broken_fact();
}
