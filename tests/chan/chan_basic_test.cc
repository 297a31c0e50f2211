// Channels: who blocks, who does not, and what len and cap say.
#include <atomic>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// The capacities of the sweep: all of them, or a few under a sanitizer, which makes each slow.
int next_cap(int cap) { return sanitized && cap > 8 ? cap + 37 : cap + 1; }

}  // namespace

TEST_CASE("a receive from an empty channel blocks until a value is sent", "[chan][CHAN-01]") {
  hang_guard guard("a receive was not released by a send");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int cap = 0; cap < 200; cap = next_cap(cap)) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      std::atomic<int> released = 0, sum = 0;
      wait_group all;
      all.go([&] {
        sum += c.recv().value();
        ++released;
      });
      all.go([&] {
        for (int v : c) {
          sum += v;
          break;
        }
        ++released;
      });
      until_receiver(c);
      if (cap < 5) sleep(1ms);
      REQUIRE(released == 0);
      c.send(3);
      c.send(4);
      all.wait();
      REQUIRE(sum == 7);
    }
  });
}

TEST_CASE("a receive that may not block says at once that nothing is there", "[chan][CHAN-02]") {
  in_world(GENERATE(1, 4), [] {
    for (int cap = 0; cap < 200; cap = next_cap(cap)) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      int v = -1;
      bool ok = true;
      REQUIRE_FALSE(c.try_recv());
      REQUIRE(select(recv(c, v), otherwise) == 1);
      REQUIRE(select(otherwise, recv(c, v, ok)) == 0);
      REQUIRE(v == -1);
      REQUIRE(ok);
    }
  });
}

TEST_CASE("a send to a full channel blocks until one value is received", "[chan][CHAN-03]") {
  hang_guard guard("a send was not released by a receive");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int cap = 0; cap < 200; cap = next_cap(cap)) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      for (int i = 0; i < cap; ++i) c.send(i);
      std::atomic<bool> sent = false;
      wait_group all;
      all.go([&] {
        c.send(cap);
        sent = true;
      });
      until_sender(c);
      REQUIRE_FALSE(c.try_send(-1));
      if (cap < 5) sleep(1ms);
      REQUIRE_FALSE(sent);
      REQUIRE(c.recv() == 0);
      all.wait();
      for (int i = 1; i <= cap; ++i) REQUIRE(c.recv() == i);
      REQUIRE(c.len() == 0);
    }
  });
}

TEST_CASE("len counts what is buffered and cap is what was asked for", "[chan][CHAN-10]") {
  in_world(GENERATE(1, 4), [] {
    for (std::size_t cap : {0u, 1u, 2u, 7u, 100u}) {
      auto c = make_chan<int>(cap);
      CHECK(c.cap() == cap);
      CHECK(c.len() == 0);
      for (std::size_t i = 0; i < cap; ++i) {
        c.send(1);
        CHECK(c.len() == i + 1);
      }
      CHECK(c.len() == c.cap());
      if (cap > 0) {
        c.recv();
        CHECK(c.len() == cap - 1);
      }
      c.close();
      CHECK(c.cap() == cap);
      CHECK(c.len() == (cap > 0 ? cap - 1 : 0));
    }
    CHECK(chan<int>().len() == 0);
    CHECK(chan<int>().cap() == 0);
    CHECK(recv_chan<int>().cap() == 0);
    CHECK(send_chan<int>().len() == 0);
  });
}

TEST_CASE("a parked sender does not count as buffered", "[chan][CHAN-10]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>(1);
    wait_group all;
    all.go([&] {
      c.send(1);
      c.send(2);
    });
    until_sender(c);
    CHECK(c.len() == 1);
    CHECK(c.recv() == 1);
    CHECK(c.len() == 1);
    CHECK(c.recv() == 2);
    all.wait();
  });
}

TEST_CASE("handles of one channel are equal, and nil is equal to nil", "[chan]") {
  auto a = make_chan<int>(), b = make_chan<int>();
  chan<int> nil;
  CHECK(a == chan<int>(a));
  CHECK(a != b);
  CHECK(a);
  CHECK_FALSE(nil);
  CHECK(nil == chan<int>());
  CHECK(recv_chan<int>(a) == a);
  CHECK(send_chan<int>(a) == a);
  chan<int> moved = std::move(a);
  CHECK(a == nil);  // NOLINT: a moved-from handle is nil
  CHECK(moved);
  const chan<int>& same = moved;
  moved = same;  // assignment to itself keeps the channel
  CHECK(moved);
}

TEST_CASE("a channel ends with its last handle, and what is buffered ends with it", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    auto counted = std::make_shared<int>(1);
    for (std::size_t sent = 0; sent <= 5; ++sent) {
      auto c = make_chan<std::shared_ptr<int>>(5);
      c.send(nullptr);  // so that the ring's oldest is not at its beginning
      c.recv();
      for (std::size_t i = 0; i < sent; ++i) c.send(counted);
      chan<std::shared_ptr<int>> other = c;
      c = {};
      CHECK(counted.use_count() == static_cast<long>(1 + sent));
      other = {};
      CHECK(counted.use_count() == 1);
    }
  });
}
