// Sends and receives that give up at a deadline.
#include <atomic>
#include <chrono>
#include <limits>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("who waits in vain gives up at the deadline and not before", "[chan][deadline]") {
  in_world(GENERATE(1, 2, 4), [] {
    auto empty = make_chan<int>(2), full = make_chan<int>(1);
    full.send(0);
    for (int i = 0; i < 5; ++i) {
      time_point began = now();
      CHECK_FALSE(empty.recv_for(3ms));
      CHECK(now() - began >= 3ms);
      began = now();
      CHECK_FALSE(full.send_for(1, 3ms));
      CHECK(now() - began >= 3ms);
      began = now();
      CHECK_FALSE(empty.recv_until(began + 3ms));
      CHECK_FALSE(full.send_until(1, began + 6ms));
      CHECK(now() - began >= 6ms);
      CHECK_FALSE(empty.recv_until(std::chrono::system_clock::now() + 3ms));
      CHECK_FALSE(empty.recv_until(std::chrono::steady_clock::now() + 3ms));
    }
    CHECK(full.len() == 1);
    CHECK(channel_of(empty)->receivers().empty_approx());
    CHECK(channel_of(full)->senders().empty_approx());
  });
}

TEST_CASE("a deadline that is past is as good as not blocking", "[chan][deadline]") {
  in_world(GENERATE(1, 2, 4), [] {
    auto c = make_chan<int>(1);
    for (auto d : {duration::zero(), duration(-1), duration(-1h), duration::min()}) {
      CHECK_FALSE(c.recv_for(d));
      CHECK(c.send_for(3, d));
      CHECK_FALSE(c.send_for(4, d));
      CHECK(c.recv_for(d) == 3);
    }
    CHECK_FALSE(c.recv_until(time_point::min()));
    CHECK_FALSE(c.recv_until(std::chrono::system_clock::time_point::min()));
    CHECK_FALSE(c.recv_until(std::chrono::system_clock::time_point()));
    CHECK(c.send_until(5, time_point::min()));
    CHECK(c.recv_until(time_point::min()) == 5);
  });
}

TEST_CASE("the farthest deadline is not past", "[chan][deadline]") {
  hang_guard guard("a far deadline hangs");
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    using coarse = std::chrono::time_point<std::chrono::system_clock, std::chrono::hours>;
    const auto meets = [&](auto receive) {
      wait_group all;
      all.go([&] {
        until_receiver(c);
        sleep(2ms);  // a deadline that is past would have been noticed by now
        c.try_send(1);
      });
      CHECK(receive() == 1);
      all.wait();
    };
    meets([&] { return c.recv_until(time_point::max()); });
    meets([&] { return c.recv_until(std::chrono::system_clock::time_point::max()); });
    meets([&] { return c.recv_until(std::chrono::steady_clock::time_point::max()); });
    meets([&] { return c.recv_until(coarse::max()); });
    meets([&] { return c.recv_for(duration::max()); });
    wait_group all;
    all.go([&] { c.send_until(2, time_point::max()); });
    until_sender(c);
    sleep(2ms);
    CHECK(c.try_recv() == 2);
    all.wait();
  });
}

TEST_CASE("who is served before the deadline returns at once", "[chan][deadline]") {
  hang_guard guard("a wake-up waits for the deadline");
  in_world(GENERATE(1, 2, 4), [] {
    auto c = make_chan<int>();
    for (int i = 0; i < scaled(500); ++i) {
      auto receives = async([c] { return c.recv_for(1h); });
      c.send(i);
      REQUIRE(receives.get() == i);
      auto sends = async([c, i] { return c.send_for(i, 1h); });
      REQUIRE(c.recv() == i);
      REQUIRE(sends.get());
    }
    auto receives = async([c] { return c.recv_for(1h).has_value(); });
    until_receiver(c);
    c.close();
    CHECK_FALSE(receives.get());
  });
}

TEST_CASE("a value whose deadline is near goes over once or not at all", "[chan][deadline]") {
  hang_guard guard("deadlines and wake-ups lose each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int sides = 4;
    for (std::size_t cap : {0u, 1u}) {
      auto c = make_chan<int>(cap);
      std::atomic<long> sent = 0, n_sent = 0, received = 0, n_received = 0;
      wait_group senders, receivers;
      std::atomic<bool> over = false;
      for (int s = 0; s < sides; ++s) {
        senders.go([&, s] {
          for (int i = 0; i < scaled(1500); ++i) {
            const int v = s * 100'000 + i;
            const duration d = std::chrono::microseconds(i % 7 == 0 ? 0 : (i * 13 + s) % 60);
            if (c.send_for(v, d)) {
              sent += v;
              ++n_sent;
            }
          }
        });
        receivers.go([&, s] {
          for (int i = 0; !over; ++i) {
            const duration d = std::chrono::microseconds(i % 5 == 0 ? 0 : (i * 7 + s) % 60);
            if (auto v = c.recv_for(d)) {
              received += *v;
              ++n_received;
            }
          }
        });
      }
      senders.wait();
      over = true;
      receivers.wait();
      while (auto v = c.try_recv()) {
        received += *v;
        ++n_received;
      }
      CHECK(n_sent == n_received);
      CHECK(sent == received);
      CHECK(channel_of(c)->receivers().empty_approx());
      CHECK(channel_of(c)->senders().empty_approx());
    }
  });
}

TEST_CASE("one whose deadline has passed is not in the way of those behind it", "[chan][deadline]") {
  hang_guard guard("a value went to one who had given up");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(300); ++round) {
      auto c = make_chan<int>();
      wait_group all;
      std::atomic<int> early = 0, got = 0;
      for (int i = 0; i < 5; ++i) {
        all.go([&] {
          if (c.recv_for(50us)) ++early;
        });
      }
      all.go([&] { got += c.recv().value(); });
      sleep(std::chrono::microseconds(round % 100));
      int sent = 0;
      while (got == 0)
        if (c.send_for(1, 1ms)) ++sent;
      all.wait();
      REQUIRE(sent == early + got);
    }
  });
}

TEST_CASE("a close at the moment of a deadline ends the wait either way", "[chan][deadline]") {
  hang_guard guard("a close and a deadline lose each other");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(1000); ++round) {
      auto c = make_chan<int>();
      wait_group all;
      std::atomic<int> wrong = 0;
      const duration d = std::chrono::microseconds(round % 50);
      all.go([&] {
        if (c.recv_for(d)) ++wrong;
      });
      all.go([&] {
        const std::string text = panic_text([&] {
          if (c.send_for(1, d)) ++wrong;
        });
        if (!text.empty() && text != "send on closed channel") ++wrong;
      });
      sleep(d / 2);
      c.close();
      all.wait();
      if (wrong == 2) wrong = 0;  // they met each other
      REQUIRE(wrong == 0);
    }
  });
}

// A timer that fires holds the lock of its heap and takes the channel's lock; a wait with a
// deadline on that channel has the channel's and needs a heap. They must not wait for each other.
TEST_CASE("a timer's channel may be received from with a deadline while it fires", "[chan][timer][deadline]") {
  hang_guard guard("a firing timer and a deadline wait for each other's lock");
  in_world(GENERATE(1, 2, 4, 16), [] {
    wait_group all;
    for (int f = 0; f < 8; ++f) {
      all.go([f] {
        for (int i = 0; i < scaled(400); ++i) {
          timer t(std::chrono::microseconds((i * 3 + f) % 20));
          while (!t.c().recv_for(std::chrono::microseconds((i + f) % 20))) {
          }
        }
        ticker often(5us);
        for (int i = 0; i < scaled(400); ++i) often.c().recv_for(std::chrono::microseconds(i % 10));
      });
    }
    all.wait();
  });
}

TEST_CASE("a time beyond nanoseconds is the longest, in every unit", "[chan][timer][context]") {
  hang_guard guard("the longest wait");
  in_world(1, [] {
    using std::chrono::hours;
    using std::chrono::seconds;
    const auto c = make_chan<int>(1);
    go([c] { c.send(1); });
    CHECK(c.recv_for(hours::max()) == 1);
    CHECK(c.send_for(2, seconds::max()));
    CHECK(c.recv_for(std::chrono::milliseconds::max()) == 2);
    const auto signal = make_chan<void>(1);
    CHECK(signal.send_for(hours::max()));
    auto [ctx, cancel] = with_timeout(background(), hours::max());
    CHECK_FALSE(ctx.err());
    timer t(seconds::max());
    CHECK(t.stop());
    CHECK_FALSE(t.reset(hours::max()));
    CHECK(t.stop());
    ticker often(hours::max());
    often.reset(seconds::max());
    CHECK_FALSE(after(hours::max()).try_recv());
    bool ran = false;
    timer f = after_func(hours::max(), [&] { ran = true; });
    wait_group sleeper;
    sleeper.go([ctx = ctx] { CHECK(sleep(ctx, seconds::max()) == errc::canceled); });
    sleep(1ms);
    cancel();
    sleeper.wait();
    CHECK_FALSE(ran);
    CHECK(f.stop());
    sleep(seconds::min());  // and the shortest has passed
    CHECK_FALSE(c.recv_for(hours::min()));
  });
}
