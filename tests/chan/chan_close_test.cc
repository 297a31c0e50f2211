// Closing: what receivers get, what senders get, and what must not be closed.
#include <atomic>
#include <limits>
#include <stdexcept>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a closed channel gives what is buffered in order and then nothing, for ever", "[chan][CHAN-05][CHAN-22]") {
  in_world(GENERATE(1, 4), [] {
    for (int cap : {0, 1, 5, 64}) {
      auto c = make_chan<int>(static_cast<std::size_t>(cap));
      for (int i = 0; i < cap; ++i) c.send(i + 1);
      c.close();
      for (int i = 0; i < cap; ++i) {
        int v = 0;
        bool ok = false;
        if (i % 2 == 0) {
          REQUIRE(c.recv() == i + 1);
        } else {
          REQUIRE(select(recv(c, v, ok)) == 0);
          REQUIRE((v == i + 1 && ok));
        }
      }
      for (int i = 0; i < 10; ++i) {
        int v = 9;
        bool ok = true;
        REQUIRE_FALSE(c.recv());
        REQUIRE_FALSE(c.try_recv());
        REQUIRE_FALSE(c.recv_for(1h));
        REQUIRE(select(recv(c, v, ok)) == 0);
        REQUIRE((v == 0 && !ok));
      }
      for (int v : c) FAIL("received " << v);
    }
  });
}

TEST_CASE("close releases a receiver that is parked", "[chan][CHAN-06]") {
  hang_guard guard("close released nobody");
  in_world(GENERATE(1, 2, 4), [] {
    for (std::size_t cap : {0u, 3u}) {
      auto c = make_chan<int>(cap);
      auto got = async([c] { return c.recv().has_value(); });
      until_receiver(c);
      c.close();
      CHECK_FALSE(got.get());
    }
  });
}

TEST_CASE("close releases every receiver that is parked", "[chan][CHAN-07]") {
  hang_guard guard("close left a receiver parked");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < 20; ++round) {
      constexpr int n = 50;
      auto c = make_chan<int>(static_cast<std::size_t>(round % 3));
      std::atomic<int> about = 0, empty = 0;
      wait_group all;
      for (int i = 0; i < n; ++i) {
        all.go([&, i] {
          ++about;
          int v = 7;
          bool ok = true;
          if (i % 3 == 0) empty += c.recv() ? 0 : 1;
          if (i % 3 == 1) empty += select(recv(c, v, ok)) == 0 && !ok && v == 0 ? 1 : 0;
          if (i % 3 == 2) empty += c.recv_for(1h) ? 0 : 1;
        });
      }
      until([&] { return about == n; });
      c.close();
      all.wait();
      REQUIRE(empty == n);
    }
  });
}

TEST_CASE("close releases every sender that is parked, with a panic", "[chan][CHAN-07][SEL-17]") {
  hang_guard guard("close left a sender parked");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < 20; ++round) {
      constexpr int n = 50;
      auto c = make_chan<int>(static_cast<std::size_t>(round % 2));
      if (c.cap() == 1) c.send(1);
      std::atomic<int> about = 0, panicked = 0;
      wait_group all;
      for (int i = 0; i < n; ++i) {
        all.go([&, i] {
          ++about;
          const std::string text = panic_text([&] {
            if (i % 3 == 0) c.send(i);
            if (i % 3 == 1) select(send(c, i));
            if (i % 3 == 2) c.send_for(i, 1h);
          });
          if (text == "send on closed channel") ++panicked;
        });
      }
      until([&] { return about == n; });
      until_sender(c);
      c.close();
      all.wait();
      REQUIRE(panicked == n);
      if (c.cap() == 1) REQUIRE(c.recv() == 1);  // what was buffered before is not lost
      REQUIRE_FALSE(c.recv());
    }
  });
}

TEST_CASE("those that close releases were waiting longest wake first", "[chan][order][CHAN-07]") {
  in_world(1, [] {
    auto c = make_chan<int>();
    std::vector<int> woken;
    wait_group all;
    for (int i = 0; i < 10; ++i) {
      all.go([&, i] {
        c.recv();
        woken.push_back(i);
      });
      settle();
    }
    c.close();
    all.wait();
    // The last to be made ready may go first, as any that is; the others keep their order.
    std::erase(woken, 9);
    CHECK(woken == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  });
}

TEST_CASE("a send on a closed channel panics, whichever way it is written", "[chan][CHAN-20][SEL-16]") {
  in_world(GENERATE(1, 4), [] {
    for (std::size_t cap : {0u, 2u}) {
      auto c = make_chan<int>(cap);
      c.close();
      const std::string words = "send on closed channel";
      CHECK(panic_text([&] { c.send(1); }) == words);
      CHECK(panic_text([&] { c.try_send(1); }) == words);
      CHECK(panic_text([&] { c.send_for(1, 1ms); }) == words);
      CHECK(panic_text([&] { select(send(c, 1)); }) == words);
      CHECK(panic_text([&] { select(send(c, 1), otherwise); }) == words);
      CHECK(panic_text([&] { select(recv(make_chan<int>()), send(c, 1)); }) == words);
      CHECK(panic_text([&] { select(recv(make_chan<int>()), send(c, 1), otherwise); }) == words);
      std::vector<select_case> cases{send(c, 1)};
      CHECK(panic_text([&] { select(std::span(cases)); }) == words);
      CHECK(panic_text([&] { try_select(std::span(cases)); }) == words);
      CHECK_FALSE(c.try_recv());  // no lock was left held, nothing came through
    }
  });
}

TEST_CASE("close of a closed or of a nil channel panics", "[chan][CHAN-20]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>(1);
    c.send(5);
    c.close();
    CHECK(panic_text([&] { c.close(); }) == "close of closed channel");
    CHECK(panic_text([&] { send_chan<int>(c).close(); }) == "close of closed channel");
    CHECK(c.recv() == 5);
    CHECK(panic_text([] { chan<int>().close(); }) == "close of nil channel");
    CHECK(panic_text([] { send_chan<void>().close(); }) == "close of nil channel");
    CHECK(panic_text([] { make_chan<int>(std::numeric_limits<std::size_t>::max()); }) == "makechan: size out of range");
  });
}

TEST_CASE("misuse of a channel is one family of errors", "[chan][CHAN-20]") {
  STATIC_REQUIRE(std::is_base_of_v<std::logic_error, panic>);
  in_world(1, [] {
    auto c = make_chan<int>();
    c.close();
    CHECK_THROWS_AS(c.send(1), panic);
    CHECK_THROWS_AS(c.close(), panic);
    CHECK_THROWS_AS(chan<int>().close(), panic);
    CHECK_THROWS_AS(make_chan<int>(static_cast<std::size_t>(-1)), panic);
    CHECK_THROWS_AS(c.send(1), std::logic_error);
  });
}

TEST_CASE("a capacity that cannot be addressed is refused", "[chan][CHAN-18]") {
  struct big {
    char bytes[1 << 20];
  };
  const std::string words = "makechan: size out of range";
  CHECK(panic_text([] { make_chan<int>(static_cast<std::size_t>(-1)); }) == words);
  CHECK(panic_text([] { make_chan<char>(static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::min())); }) ==
        words);
  CHECK(panic_text([] { make_chan<long>(std::numeric_limits<std::size_t>::max() / sizeof(long) + 2); }) == words);
  CHECK(panic_text([] { make_chan<big>((std::size_t{1} << 44) + 1); }) == words);
  CHECK(panic_text([] { make_chan<void>(static_cast<std::size_t>(-1)); }) == words);
  CHECK(make_chan<big>(0).cap() == 0);
}
