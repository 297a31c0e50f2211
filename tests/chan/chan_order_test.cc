// Channels are queues of values and of waiters.
#include <atomic>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("one sender's values come out in order", "[chan][CHAN-08]") {
  hang_guard guard("a pipe stands still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (std::size_t cap = 0; cap < 200; cap += sanitized && cap > 8 ? 37 : 1) {
      auto c = make_chan<int>(cap);
      wait_group all;
      all.go([&] {
        for (int i = 0; i < 100; ++i) c.send(i);
        c.close();
      });
      for (int i = 0; i < 50; ++i) REQUIRE(c.recv() == i);
      int v = -1;
      bool ok = false;
      for (int i = 50; i < 75; ++i) {
        REQUIRE(select(recv(c, v, ok)) == 0);
        REQUIRE((ok && v == i));
      }
      int expected = 75;
      for (int got : c) REQUIRE(got == expected++);
      REQUIRE(expected == 100);
      all.wait();
    }
  });
}

TEST_CASE("receivers that take turns see the values of an unbuffered channel in order", "[chan][CHAN-12]") {
  hang_guard guard("the chain broke");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto c = make_chan<int>();
    auto turn = make_chan<void>();
    std::atomic<int> wrong = 0;
    recv_chan<void> before = turn;
    wait_group all;
    for (int i = 0; i < 10; ++i) {
      auto after_it = make_chan<void>();
      all.go([&, before, after_it, i] {
        before.recv();
        if (c.recv() != i) ++wrong;
        after_it.send();
      });
      before = after_it;
    }
    all.go([&] { turn.send(); });
    for (int i = 0; i < 10; ++i) c.send(i);
    before.recv();
    all.wait();
    CHECK(wrong == 0);
  });
}

TEST_CASE("a buffer is filled and drained in order, over and over", "[chan][CHAN-13]") {
  in_world(GENERATE(1, 4), [] {
    for (int cap : {1, 2, 3, 10, 64}) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      int next_in = 0, next_out = 0;
      for (int round = 0; round < 50; ++round) {  // from another place of the ring each time
        const int n = 1 + round % cap;
        for (int i = 0; i < n; ++i) c.send(next_in++);
        for (int i = 0; i < n; ++i) REQUIRE(c.recv() == next_out++);
      }
    }
  });
}

TEST_CASE("a value goes to the receiver that waits, and nobody else can take it", "[chan][CHAN-15]") {
  hang_guard guard("the waiting receiver never got its value");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(2000); ++round) {
      auto c = make_chan<int>(static_cast<std::size_t>(round % 2));
      auto waits = async([c] { return c.recv(); });
      until_receiver(c);
      c.send(42);
      REQUIRE_FALSE(c.try_recv());  // too late, though the other may not have run yet
      REQUIRE(c.len() == 0);
      REQUIRE(waits.get() == 42);
    }
  });
}

TEST_CASE("a receive from a full buffer lets the longest waiting sender's value in", "[chan][CHAN-16]") {
  hang_guard guard("a sender was not released");
  in_world(GENERATE(1, 2, 4), [] {
    for (int cap : {1, 2, 5}) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      for (int i = 0; i < cap; ++i) c.send(i);
      std::vector<task<void>> senders;
      for (int i = 0; i < 4; ++i) {
        auto about = make_chan<void>();
        senders.push_back(async([c, about, v = cap + i] {
          about.send();
          c.send(v);
        }));
        about.recv();
        if (i == 0) until_sender(c);
        // Those behind the first are in line once they have had their turn: they queue before they
        // park.
        for (int k = 0; i > 0 && k < 100; ++k) yield();
        if (i > 0) sleep(std::chrono::milliseconds(1));
      }
      REQUIRE(c.recv() == 0);
      senders[0].get();  // released though its own value is not yet received
      REQUIRE(c.len() == c.cap());
      for (int i = 1; i < cap + 1; ++i) REQUIRE(c.recv() == i);
      std::vector<bool> seen(3);
      for (int i = 0; i < 3; ++i) seen[static_cast<std::size_t>(c.recv().value() - cap - 1)] = true;
      REQUIRE(seen == std::vector<bool>(3, true));
      for (std::size_t i = 1; i < 4; ++i) senders[i].get();
    }
  });
}

TEST_CASE("those who wait are served in the order in which they came", "[chan][CHAN-16]") {
  in_world(1, [] {  // one P: who is started and yielded to has parked
    auto c = make_chan<int>();
    std::vector<int> got(10);
    wait_group all;
    for (int i = 0; i < 10; ++i) {
      all.go([&, i] { got[static_cast<std::size_t>(i)] = c.recv().value(); });
      settle();
    }
    for (int i = 0; i < 10; ++i) c.send(i);
    all.wait();
    for (int i = 0; i < 10; ++i) CHECK(got[static_cast<std::size_t>(i)] == i);

    for (int i = 0; i < 10; ++i) {
      all.go([&, i] { c.send(i); });
      settle();
    }
    for (int i = 0; i < 10; ++i) CHECK(c.recv() == i);
    all.wait();
  });
}
