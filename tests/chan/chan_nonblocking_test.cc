// Operations that never block: they fail only if, at one instant, nothing was available.
#include <atomic>
#include <string>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a channel that goes from full to closed is ready all the time", "[chan][CHAN-11]") {
  in_world(GENERATE(2, 4, 16), [] {
    const int rounds = scaled(10'000);
    int not_ready = 0;
    for (int i = 0; i < rounds; ++i) {
      auto c = make_chan<int>(1);
      c.send(1);
      go([c] {
        c.close();
        c.recv();
      });
      int v = 0;
      bool ok = false;
      if (select(recv(c, v, ok), otherwise) == 1) ++not_ready;
      c.try_recv();
    }
    CHECK(not_ready == 0);
  });
}

namespace {

// Takes its time when it is moved, which the receiver of another value does while it holds the
// lock.
struct slow_to_move {
  int v = 0;
  slow_to_move() = default;
  slow_to_move(slow_to_move&&) noexcept { dawdle(); }
  slow_to_move& operator=(slow_to_move&&) noexcept { return *this; }
  static void dawdle() {
    for (int i = 0; i < 300; ++i) detail::cpu_relax();
  }
};

}  // namespace

TEST_CASE("a buffer that a parked sender refills is never seen empty", "[chan][CHAN-11][CHAN-16]") {
  hang_guard guard("a value was lost");
  in_world(GENERATE(2, 4), [] {
    int not_ready = 0;
    // A round waits until an idle M has found the other fiber, which a busy machine puts off.
    const time_point enough = now() + 2s;
    for (int round = 0; round < scaled(1000) && now() < enough; ++round) {
      auto c = make_chan<slow_to_move>(1);
      std::atomic<bool> started = false;
      wait_group all;
      all.go([&] {
        c.send({});
        c.send({});
      });
      until_sender(c);  // two values are there, and one of them is ours
      all.go([&] {
        started = true;
        c.recv();
      });
      while (!started) detail::cpu_relax();  // no yield: that would run the other here, and not beside us
      for (int i = 0; i < round % 512; ++i) detail::cpu_relax();
      if (!c.try_recv()) ++not_ready, c.recv();
      all.wait();
    }
    CHECK(not_ready == 0);
  });
}

namespace {

template <class T>
void polls_its_way(std::size_t cap, T value) {
  auto c = make_chan<T>(cap);
  if (cap == 0) REQUIRE_FALSE(c.try_send(value));  // there is no receiver
  {
    auto receives = async([c] { return c.recv(); });
    const time_point began = now();
    while (!c.try_send(value)) {
      REQUIRE(now() - began < 60s);
      yield();
    }
    REQUIRE(receives.get() == value);
  }
  REQUIRE_FALSE(c.try_recv());
  {
    auto sends = async([c, value] { c.send(value); });
    const time_point began = now();
    std::optional<T> got;
    while (!(got = c.try_recv())) {
      REQUIRE(now() - began < 60s);
      yield();
    }
    REQUIRE(*got == value);
    sends.get();
  }
  {
    auto receives = async([c] {
      T v{};
      bool ok = false;
      while (select(recv(c, v, ok), otherwise) == 1) yield();
      return ok ? v : T{};
    });
    auto sends = async([c, value] { c.send(value); });
    sends.get();
    REQUIRE(receives.get() == value);
  }
}

}  // namespace

TEST_CASE("polling with yields meets the other side", "[chan][CHAN-27]") {
  hang_guard guard("polling never met the other side");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (std::size_t cap : {0u, 1u}) {
      for (int round = 0; round < scaled(200); ++round) {
        polls_its_way<std::int32_t>(cap, 123);
        polls_its_way<std::int64_t>(cap, 1ll << 40);
        polls_its_way<bool>(cap, true);
        polls_its_way<std::string>(cap, "a string that is too long for its own object");
      }
    }
  });
}

TEST_CASE("two that only try never meet on an unbuffered channel", "[chan][CHAN-27]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    std::atomic<bool> over = false;
    auto other = async([&] {
      int met = 0;
      while (!over) {
        if (c.try_recv()) ++met;
        yield();
      }
      return met;
    });
    int met = 0;
    for (int i = 0; i < scaled(20'000); ++i) {
      if (c.try_send(i)) ++met;
      if (i % 64 == 0) yield();
    }
    over = true;
    CHECK(met == 0);
    CHECK(other.get() == 0);
  });
}

TEST_CASE("a send that does not succeed leaves the value where it was", "[chan]") {
  in_world(1, [] {
    auto c = make_chan<std::unique_ptr<int>>();
    auto v = std::make_unique<int>(3);
    CHECK_FALSE(c.try_send(std::move(v)));
    REQUIRE(v);
    CHECK_FALSE(c.send_for(std::move(v), 1ms));
    REQUIRE(v);
    CHECK_FALSE(chan<std::unique_ptr<int>>().try_send(std::move(v)));
    REQUIRE(v);
    CHECK(*v == 3);
    auto buffered = make_chan<std::unique_ptr<int>>(1);
    CHECK(buffered.try_send(std::move(v)));
    CHECK_FALSE(v);
  });
}

TEST_CASE("nothing is ever ready on a nil channel", "[chan][CHAN-21][SEL-13]") {
  in_world(1, [] {
    chan<int> nil;
    int v = 0;
    CHECK_FALSE(nil.try_recv());
    CHECK_FALSE(nil.try_send(1));
    CHECK(select(recv(nil, v), otherwise) == 1);
    CHECK(select(send(nil, 1), otherwise) == 1);
    CHECK(select(send(nil, 1), recv(nil), otherwise) == 2);
    CHECK_FALSE(nil.recv_for(1ms));
    CHECK_FALSE(nil.send_for(1, 1ms));
  });
}
