// What never happens: operations on nil channels, and selects without a case that could run.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

std::string dump() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* f = open_memstream(&text, &size);
  dump_fibers(f);
  std::fclose(f);
  std::string s(text, size);
  std::free(text);
  return s;
}

// True if f is still blocked, for the reason given, after others have had their turns.
template <class F>
void blocks_for_ever(F f, const std::string& reason) {
  in_leaky_world(1, [&] {
    bool returned = false;
    go([&, f] {
      f();
      returned = true;
    });
    for (int i = 0; i < 10; ++i) yield();
    sleep(1ms);
    CAPTURE(reason);
    CHECK_FALSE(returned);
    CHECK_THAT(dump(), Contains("[" + reason));
  });
}

}  // namespace

TEST_CASE("a send or a receive on a nil channel blocks for ever", "[chan][CHAN-21]") {
  blocks_for_ever([] { chan<int>().send(1); }, "chan send (nil chan)");
  blocks_for_ever([] { chan<int>().recv(); }, "chan receive (nil chan)");
  blocks_for_ever([] { chan<void>().send(); }, "chan send (nil chan)");
  blocks_for_ever([] { recv_chan<std::string>().recv(); }, "chan receive (nil chan)");
  blocks_for_ever([] { send_chan<std::string>().send("x"); }, "chan send (nil chan)");
  blocks_for_ever(
      [] {
        for (int v : chan<int>()) static_cast<void>(v);
      },
      "chan receive (nil chan)");
}

TEST_CASE("those who wait for a channel say so", "[chan][CHAN-21]") {
  blocks_for_ever([] { make_chan<int>().recv(); }, "chan receive]");
  blocks_for_ever([] { make_chan<int>().send(1); }, "chan send]");
  blocks_for_ever([] { make_chan<int>().recv_for(24h); }, "chan receive]");
}

TEST_CASE("a select without cases blocks for ever", "[select][SEL-11]") {
  blocks_for_ever([] { select(); }, "select (no cases)");
  blocks_for_ever([] { select(std::span<const select_case>()); }, "select (no cases)");
}

TEST_CASE("a select of nil channels blocks for ever", "[select][SEL-12]") {
  blocks_for_ever([] { select(recv(chan<int>())); }, "select]");
  blocks_for_ever([] { select(send(chan<int>(), 1)); }, "select]");
  blocks_for_ever([] { select(recv(chan<int>()), send(chan<int>(), 1)); }, "select]");
  blocks_for_ever(
      [] {
        std::vector<select_case> cases{recv(chan<int>()), send(chan<void>())};
        select(std::span(cases));
      },
      "select]");
}

TEST_CASE("a nil channel with a deadline gives up at the deadline", "[chan][CHAN-21]") {
  in_world(GENERATE(1, 4), [] {
    const time_point began = now();
    CHECK_FALSE(chan<int>().recv_for(5ms));
    CHECK(now() - began >= 5ms);
    CHECK_FALSE(chan<int>().send_until(1, now() + 5ms));
    CHECK_FALSE(chan<void>().send_for(5ms));
    CHECK_FALSE(chan<void>().recv_until(now() + 5ms));
    CHECK(now() - began >= 20ms);
  });
}
