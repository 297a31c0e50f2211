// Select among ready cases: which cases may run, and at which instant that is decided.
#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("a nil channel's case never runs", "[select][SEL-13]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>(1);
    chan<int> nil;
    for (int i = 0; i < 100; ++i) {
      c.send(i);
      CHECK(select(recv(nil), send(nil, 1), recv(c)) == 2);
      CHECK(select(send(nil, 1), send(c, i), recv(nil)) == 1);
      CHECK(c.recv() == i);
      CHECK(select(recv(nil), recv(c), otherwise) == 2);
    }
  });
}

TEST_CASE("otherwise is not taken while a case is ready", "[select][SEL-15]") {
  in_world(GENERATE(1, 4), [] {
    auto room = make_chan<int>(1), value = make_chan<int>(1), closed = make_chan<int>(), never = make_chan<int>();
    closed.close();
    for (int i = 0; i < 100; ++i) {
      CHECK(select(otherwise, send(room, 1)) == 1);
      room.recv();
      CHECK(select(send(room, 1), recv(never), otherwise) == 0);
      room.recv();
      value.send(1);
      CHECK(select(recv(value), otherwise) == 0);
      value.send(1);
      CHECK(select(recv(never), otherwise, recv(value)) == 2);
      CHECK(select(recv(closed), otherwise) == 0);
      CHECK(select(send(never, 1), recv(closed), otherwise) == 1);
      CHECK(select(recv(value), send(never, 1), otherwise) == 2);
    }
  });
}

TEST_CASE("a case whose partner is parked is ready", "[select][SEL-15]") {
  hang_guard guard("the partner was not released");
  in_world(GENERATE(1, 2, 4), [] {
    auto a = make_chan<int>(), b = make_chan<int>();
    for (int i = 0; i < scaled(500); ++i) {
      auto sends = async([a, i] { a.send(i); });
      until_sender(a);
      int v = -1;
      REQUIRE(select(recv(b), recv(a, v), otherwise) == 1);
      REQUIRE(v == i);
      sends.get();
      auto selects = async([a, b] { return select(recv(a), recv(b)); });
      until_receiver(b);
      REQUIRE(select(send(b, 1), otherwise) == 0);
      REQUIRE(selects.get() == 1);
    }
  });
}

TEST_CASE("a closed channel's receive is ready at once, its send panics", "[select][SEL-16]") {
  in_world(GENERATE(1, 4), [] {
    auto closed = make_chan<int>(3), never = make_chan<int>();
    closed.send(4);
    closed.close();
    int v = 9;
    bool ok = false;
    CHECK(select(recv(never), recv(closed, v, ok)) == 1);
    CHECK((v == 4 && ok));
    for (int i = 0; i < 10; ++i) {
      v = 9;
      CHECK(select(recv(closed, v, ok), recv(never)) == 0);
      CHECK((v == 0 && !ok));
      std::optional<int> o = 5;
      CHECK(select(recv(closed, o)) == 0);
      CHECK_FALSE(o);
    }
    CHECK_THROWS_AS(select(recv(never), send(closed, 1)), panic);
  });
}

TEST_CASE("a parked select sees its channel close", "[select][SEL-17]") {
  hang_guard guard("a close did not release a select");
  in_world(GENERATE(1, 2, 4), [] {
    for (int i = 0; i < scaled(200); ++i) {
      auto a = make_chan<int>(), b = make_chan<int>();
      auto receives = async([a, b] {
        int v = 9, u = 8;
        bool ok = true;
        const int chosen = select(recv(b, u), recv(a, v, ok));
        return chosen == 1 && v == 0 && !ok && u == 8;
      });
      until_receiver(a);
      a.close();
      REQUIRE(receives.get());
      auto c = make_chan<int>();
      auto sends = async([b, c] { return panic_text([&] { select(recv(b), send(c, 1)); }); });
      until_sender(c);
      c.close();
      REQUIRE(sends.get() == "send on closed channel");
      REQUIRE(channel_of(b)->receivers().empty_approx());
    }
  });
}

// c1 is ready before the other fiber starts; c2 is made ready before c1 is drained. So at every
// instant one of them is, and a select of both must not say that none was.
TEST_CASE("a select looks at one instant, not at one channel after the other", "[select][SEL-01]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int rounds = scaled(50'000);
    auto c1 = make_chan<int>(1), c2 = make_chan<int>(1);
    auto answers = make_chan<bool>(1);
    int smeared = 0;
    for (int i = 0; i < rounds; ++i) {
      c1.send(1);
      go([=] { answers.send(select(recv(c1), recv(c2), otherwise) != 2); });
      c2.send(1);
      select(recv(c1), otherwise);
      if (!answers.recv().value()) ++smeared;
      c1.try_recv();
      c2.try_recv();
    }
    CHECK(smeared == 0);
  });
}

TEST_CASE("a select looks at one instant when a channel is closed, too", "[select][SEL-02]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int rounds = scaled(50'000);
    auto c1 = make_chan<int>(1);
    auto answers = make_chan<bool>(1);
    int smeared = 0;
    for (int i = 0; i < rounds; ++i) {
      auto c2 = make_chan<int>();
      c1.send(1);
      go([=] { answers.send(select(recv(c1), recv(c2), otherwise) != 2); });
      c2.close();
      select(recv(c1), otherwise);
      if (!answers.recv().value()) ++smeared;
      c1.try_recv();
    }
    CHECK(smeared == 0);
  });
}

TEST_CASE("a list of cases behaves as the cases written out", "[select][SEL-27]") {
  hang_guard guard("a select over a list stands still");
  in_world(GENERATE(1, 2, 4), [] {
    for (std::size_t n : {1u, 2u, 5u, 8u, 9u, 40u}) {  // with and without room on the stack
      std::vector<chan<int>> channels(n);
      for (auto& c : channels) c = make_chan<int>();
      std::vector<int> got(n, -1);
      std::vector<select_case> cases;
      for (std::size_t i = 0; i < n; ++i) cases.push_back(recv(channels[i], got[i]));
      REQUIRE_FALSE(try_select(std::span(cases)));
      for (std::size_t i = 0; i < n; ++i) {
        auto sends = async([&, i] { channels[i].send(static_cast<int>(i)); });
        if (i % 2 == 0) until_sender(channels[i]);
        REQUIRE(select(std::span(cases)) == i);
        sends.get();
      }
      for (std::size_t i = 0; i < n; ++i) REQUIRE(got[i] == static_cast<int>(i));
      for (auto& c : channels) REQUIRE(channel_of(c)->receivers().empty_approx());
    }
  });
}

TEST_CASE("a list of cases is a vector, an array or a span", "[select]") {
  in_world(1, [] {
    auto c = make_chan<int>(4);
    for (int i = 0; i < 4; ++i) c.send(i);
    int got = -1;
    std::vector<select_case> vector{recv(c, got)};
    const std::array<select_case, 1> array{recv(c, got)};
    CHECK((weft::select(vector) == 0 && got == 0));
    CHECK((weft::select(array) == 0 && got == 1));
    CHECK((weft::try_select(std::span(vector)) == 0u && got == 2));
    CHECK((weft::try_select(std::span<const select_case>(array)) == 0u && got == 3));
    CHECK_FALSE(weft::try_select(vector));
  });
}

TEST_CASE("a case of a list keeps its channel and what it sends", "[select]") {
  in_world(1, [] {
    std::vector<select_case> cases;
    recv_chan<std::unique_ptr<int>> out;
    {
      auto c = make_chan<std::unique_ptr<int>>(1);
      out = c;
      cases.push_back(send(c, std::make_unique<int>(5)));
    }
    CHECK(try_select(std::span(cases)) == 0u);
    auto got = out.recv();
    REQUIRE((got && *got));
    CHECK(**got == 5);
  });
}
