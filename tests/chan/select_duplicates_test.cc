// One channel in several cases, and several copies of one value: exactly one case runs.
#include <atomic>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("two fibers that each offer to send and to receive get along", "[select][SEL-03]") {
  hang_guard guard("two selects on one channel stand still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (std::size_t cap : {0u, 10u}) {
      const int n = scaled(10'000);
      auto c = make_chan<int>(cap);
      std::atomic<int> wrong = 0;
      wait_group all;
      for (int me = 0; me < 2; ++me) {
        all.go([&, me] {
          for (int i = 0; i < n; ++i) {
            int v = -1;
            const int chosen = i % 2 == 0 ? select(send(c, me), recv(c, v)) : 1 - select(recv(c, v), send(c, me));
            if (cap == 0 && chosen == 1 && v == me) ++wrong;  // a value of its own
          }
        });
      }
      all.wait();
      CHECK(wrong == 0);
      CHECK(channel_of(c)->receivers().empty_approx());
      CHECK(channel_of(c)->senders().empty_approx());
    }
  });
}

TEST_CASE("the entries of a select that is over are gone, and only those", "[select][SEL-08]") {
  hang_guard guard("a waiter beside a select was lost");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(1000); ++round) {
      auto c = make_chan<int>(), d = make_chan<int>(), e = make_chan<int>();
      // Before, between and after the entries of the select others wait on the same channel.
      wait_group all;
      std::atomic<int> got = 0, chosen = -1;
      const auto receives = [&] { got += c.recv().value(); };
      all.go(receives);
      until_receiver(c);
      auto selects = async([&] {
        int v = 0;
        chosen = select(recv(c, v), recv(d, v), recv(c, v), recv(c, v), recv(e, v));
        return v;
      });
      until_receiver(e);
      all.go(receives);
      all.go(receives);
      if (round % 2 == 0) {
        d.send(100);
        REQUIRE(selects.get() == 100);
        REQUIRE(chosen == 1);
        for (int i = 0; i < 3; ++i) c.send(1);
        all.wait();
        REQUIRE(got == 3);
      } else {
        for (int i = 0; i < 4; ++i) c.send(1);
        all.wait();
        REQUIRE(selects.get() == 1);
        REQUIRE((chosen == 0 || chosen == 2 || chosen == 3));
        REQUIRE(got == 3);
      }
      REQUIRE(channel_of(c)->receivers().empty_approx());
      REQUIRE(channel_of(d)->receivers().empty_approx());
      REQUIRE(channel_of(e)->receivers().empty_approx());
    }
  });
}

TEST_CASE("a value offered on several channels arrives on one", "[select][SEL-10]") {
  hang_guard guard("a sender of one value on four channels stands still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int n = sanitized ? 5000 : 100'000;
    std::vector<chan<int>> out(4);
    for (auto& c : out) c = make_chan<int>();
    auto together = make_chan<int>();
    wait_group forwarders;
    for (auto& c : out) {
      forwarders.go([c, together] {
        for (int v : c) together.send(v);
      });
    }
    go([&, out, together] {
      for (int i = 0; i < n; ++i) select(send(out[0], i), send(out[1], i), send(out[2], i), send(out[3], i));
      for (auto& c : out) c.close();
      forwarders.wait();
      together.close();
    });
    std::vector<int> seen(static_cast<std::size_t>(n));
    for (int v : together) ++seen[static_cast<std::size_t>(v)];
    int wrong = 0;
    for (int s : seen) wrong += s == 1 ? 0 : 1;
    CHECK(wrong == 0);
  });
}

TEST_CASE("a receive writes the variable of the case that runs and no other", "[select][SEL-21]") {
  hang_guard guard("a select was not released");
  in_world(GENERATE(1, 2, 4), [] {
    for (int round = 0; round < scaled(500); ++round) {
      auto a = make_chan<std::string>(), b = make_chan<std::string>(), d = make_chan<std::string>();
      const std::string a_long_one(50, 'x');
      std::atomic<int> wrong = 0;
      auto selects = async([&] {
        std::string v[5] = {"0", "1", "2", "3", "4"};
        bool ok[5] = {true, true, true, true, true};
        const int chosen =
            round % 2 == 0 ? select(recv(a, v[0], ok[0]), recv(b, v[1]), recv(d, v[2]))
                           : select(recv(a, v[0], ok[0]), recv(b, v[1]), recv(b, v[2]), recv(b, v[3]), recv(d, v[4]));
        for (int i = 0; i < 5; ++i)
          if (v[i] != (i == chosen ? a_long_one : std::string(1, static_cast<char>('0' + i)))) ++wrong;
      });
      until_receiver(d);
      if (round % 4 < 2) b.send(a_long_one);
      else a.send(a_long_one);
      selects.get();
      REQUIRE(wrong == 0);
    }
  });
}

TEST_CASE("one list of cases may be selected from again and again", "[select][SEL-28]") {
  hang_guard guard("a reused list stands still");
  in_world(GENERATE(1, 2, 4), [] {
    auto a = make_chan<int>(), b = make_chan<int>(1);
    int v = -1;
    bool ok = false;
    std::vector<select_case> cases{recv(a, v, ok), recv(b, v, ok), recv(a, v, ok)};
    wait_group all;
    const int n = scaled(5000);
    all.go([&] {
      for (int i = 0; i < n; ++i) a.send(i);
    });
    all.go([&] {
      for (int i = 0; i < n; ++i) b.send(i);
    });
    long sum = 0;
    for (int i = 0; i < 2 * n; ++i) {
      ok = false;
      v = -1;
      const std::size_t chosen = select(std::span(cases));
      REQUIRE(chosen < 3);
      REQUIRE((ok && v >= 0));
      sum += v;
    }
    all.wait();
    CHECK(sum == 1L * n * (n - 1));
  });
}

TEST_CASE("the same select_case cannot wait twice at once", "[select]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>(1);
    int v = 0;
    const select_case one = recv(c, v);
    std::vector<select_case> cases{one, one};
    c.send(3);
    CHECK(select(std::span(cases)) < 2);  // nothing waits
    CHECK(v == 3);
    CHECK(panic_text([&] { select(std::span(cases)); }) == "select: the same select_case twice");
    CHECK(channel_of(c)->receivers().empty_approx());
    c.send(4);
    CHECK(c.recv() == 4);
  });
}
