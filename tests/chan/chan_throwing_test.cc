// Values whose moves and copies throw: the operation fails, the channel does not.
#include <atomic>
#include <stdexcept>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Throws at the move or copy that brings the countdown to 0.
struct bomb {
  static inline std::atomic<int> countdown = -1, alive = 0;
  int v = 0;

  static void tick() {
    if (countdown > 0 && --countdown == 0) throw std::runtime_error("went off");
  }
  explicit bomb(int i) : v(i) { ++alive; }
  bomb(const bomb& o) : v(o.v) {
    tick();
    ++alive;
  }
  bomb(bomb&& o) : v(o.v) {
    tick();
    o.v = -1;
    ++alive;
  }
  bomb& operator=(const bomb& o) {
    tick();
    v = o.v;
    return *this;
  }
  bomb& operator=(bomb&& o) {
    tick();
    v = o.v;
    o.v = -1;
    return *this;
  }
  ~bomb() { --alive; }
};

// As above, but there is no second one.
struct lone_bomb : bomb {
  using bomb::bomb;
  lone_bomb(lone_bomb&&) = default;
  lone_bomb& operator=(lone_bomb&&) = default;
};
static_assert(!std::is_nothrow_move_constructible_v<bomb>);
static_assert(!std::is_copy_constructible_v<lone_bomb>);

template <class F>
bool goes_off_at(int n, F f) {
  bomb::countdown = n;
  bool went_off = false;
  try {
    f();
  } catch (const std::runtime_error&) {
    went_off = true;
  }
  bomb::countdown = -1;
  return went_off;
}

}  // namespace

TEST_CASE("values that may throw when moved go through", "[chan]") {
  hang_guard guard("a boxed value got stuck");
  in_world(GENERATE(1, 2, 4), [] {
    for (std::size_t cap : {0u, 1u, 3u}) {
      auto c = make_chan<lone_bomb>(cap);
      wait_group all;
      all.go([&] {
        for (int i = 0; i < 20; ++i) c.send(lone_bomb(i));
        c.close();
      });
      int i = 0;
      for (; i < 10; ++i) REQUIRE(c.recv()->v == i);
      lone_bomb got(0);
      for (; i < 15; ++i) {
        REQUIRE(select(recv(c, got)) == 0);
        REQUIRE(got.v == i);
      }
      for (auto& v : c) REQUIRE(v.v == i++);
      REQUIRE(i == 20);
      all.wait();
    }
    CHECK(bomb::alive == 0);
  });
}

TEST_CASE("a send whose value throws leaves the channel as it was", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    {
      auto c = make_chan<bomb>(3);
      c.send(bomb(1));
      bomb b(2);
      // Whatever the number of moves of a send, each of them throws once.
      const auto all_moves = [&](auto send_it) {
        for (int n = 1;; ++n) {
          REQUIRE(n < 20);
          if (!goes_off_at(n, send_it)) break;
          REQUIRE(c.len() == 1);
          REQUIRE(b.v == 2);
        }
        REQUIRE(c.len() == 2);
        REQUIRE(c.recv()->v == 1);
        REQUIRE(c.recv()->v == 2);
        c.send(bomb(1));
      };
      all_moves([&] { c.send(b); });
      all_moves([&] { c.try_send(b); });
      all_moves([&] { c.send_for(b, 1s); });
      all_moves([&] { select(send(c, b)); });
      all_moves([&] { select(send(c, b), otherwise); });
      all_moves([&] {
        std::vector<select_case> cases{send(c, b)};
        select(std::span(cases));
      });
      c.recv();
    }
    CHECK(bomb::alive == 0);
  });
}

TEST_CASE("a receive whose value throws has received, and leaves the rest in order", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    {
      auto c = make_chan<bomb>(3);
      for (int i = 0; i < 3; ++i) c.send(bomb(i));
      wait_group all;
      all.go([&] { c.send(bomb(3)); });
      until_sender(c);
      REQUIRE(goes_off_at(1, [&] { c.recv(); }));
      all.wait();  // the parked sender got its place
      REQUIRE(c.len() == 3);
      bomb got(9);
      REQUIRE(goes_off_at(1, [&] { select(recv(c, got)); }));
      REQUIRE(got.v == 9);
      REQUIRE(goes_off_at(1, [&] { c.try_recv(); }));
      REQUIRE(c.len() == 1);
      REQUIRE(c.recv()->v == 3);
      REQUIRE_FALSE(c.try_recv());
    }
    CHECK(bomb::alive == 0);
  });
}

TEST_CASE("a case used again after its variable threw knows nothing of the first time", "[chan][select]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<bomb>(2);
    bomb got(9);
    bool ok = true;
    std::vector<select_case> cases{recv(c, got, ok)};
    c.send(bomb(1));
    REQUIRE(goes_off_at(1, [&] { select(std::span(cases)); }));
    c.close();
    std::optional<bomb> none;
    REQUIRE(select(std::span(cases)) == 0);
    CHECK_FALSE(ok);
    CHECK(got.v == 9);
  });
}

TEST_CASE("a value that was not sent is given back, though it may throw when moved", "[chan]") {
  in_world(1, [] {
    auto c = make_chan<lone_bomb>();
    lone_bomb alone(5);
    CHECK_FALSE(c.try_send(std::move(alone)));
    CHECK(alone.v == 5);
    CHECK_FALSE(c.send_for(std::move(alone), 1ms));
    CHECK(alone.v == 5);
    auto twin = make_chan<bomb>();
    bomb b(6);
    // One that can be copied is copied, and never moved to and fro.
    for (int n = 1; n < 5; ++n) {
      goes_off_at(n, [&] { twin.try_send(std::move(b)); });
      CHECK(b.v == 6);
    }
  });
}

TEST_CASE("a select that is left by an exception leaves nobody queued", "[chan][select]") {
  hang_guard guard("a case was left behind in a queue");
  in_world(GENERATE(1, 4), [] {
    auto a = make_chan<bomb>(), b = make_chan<bomb>();
    bool threw = false;
    wait_group all;
    all.go([&] {
      bomb got(0);
      try {
        select(recv(a, got), recv(b, got));
      } catch (const std::runtime_error&) {
        threw = true;
      }
    });
    until_receiver(b);
    bomb one(1);
    bomb::countdown = 3;  // the copy for the parameter, the move into the box, and the assignment to `got`
    a.send(one);
    all.wait();
    bomb::countdown = -1;
    CHECK(threw);
    CHECK(channel_of(b)->receivers().empty_approx());
    CHECK_FALSE(b.try_send(one));
  });
}

TEST_CASE("a send on a closed channel leaves a value that cannot be copied with its sender", "[chan]") {
  in_world(1, [] {
    const auto c = make_chan<lone_bomb>(1);
    c.close();
    lone_bomb b(5);
    CHECK_THROWS_AS(c.try_send(std::move(b)), panic);
    CHECK(b.v == 5);
    CHECK_THROWS_AS(c.send_for(std::move(b), 1ms), panic);
    CHECK(b.v == 5);
    CHECK_THROWS_AS((void)c.send(background(), std::move(b)), panic);
    CHECK(b.v == 5);
  });
}
