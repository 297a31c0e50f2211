// Every way to write a receive and a send: they must agree.
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct received {
  bool ready;  // false: `otherwise` ran
  int v;       // -1: not asked for
  bool ok;     // true where not asked for
};
using receiver = std::function<received(const chan<int>&)>;
using sender = std::function<bool(const chan<int>&, int)>;  // false: `otherwise` ran

// Never ready: one for the receiving side, one for the sending side, lest those meet there.
const chan<int>& dummy() {
  static const chan<int> c = make_chan<int>();
  return c;
}
const chan<int>& other_dummy() {
  static const chan<int> c = make_chan<int>();
  return c;
}
const chan<int> nil;

received dynamic(const chan<int>& c, bool may_block, std::size_t at, std::size_t of) {
  int v = -1, other = -1;
  bool ok = true;
  std::vector<select_case> cases;
  for (std::size_t i = 0; i < of; ++i) {
    if (i == at) cases.push_back(recv(c, v, ok));
    else if (i % 2 == 0) cases.push_back(recv(dummy(), other));
    else cases.push_back(send(nil, 5));
  }
  if (may_block) {
    if (select(std::span(cases)) != at) throw std::logic_error("another case ran");
    return {true, v, ok};
  }
  const auto chosen = try_select(std::span(cases));
  if (chosen && *chosen != at) throw std::logic_error("another case ran");
  return {chosen.has_value(), v, ok};
}

struct named_receiver {
  std::string name;
  bool may_block;
  receiver f;
};
std::vector<named_receiver> receivers() {
  std::vector<named_receiver> all{
      {"recv", true,
       [](auto& c) {
         auto o = c.recv();
         return received{true, o.value_or(0), o.has_value()};
       }},
      {"range", true,
       [](auto& c) {
         for (int v : c) return received{true, v, true};
         return received{true, 0, false};
       }},
      {"view", true,
       [](auto& c) {
         auto o = recv_chan<int>(c).recv();
         return received{true, o.value_or(0), o.has_value()};
       }},
      {"recv_for", true,
       [](auto& c) {
         auto o = c.recv_for(std::chrono::hours(1));
         return received{true, o.value_or(0), o.has_value()};
       }},
      {"one case", true,
       [](auto& c) {
         int v = -1;
         return received{select(recv(c, v)) == 0, v, v != 0};
       }},
      {"one case, ok", true,
       [](auto& c) {
         int v = -1;
         bool ok = false;
         return received{select(recv(c, v, ok)) == 0, v, ok};
       }},
      {"one case, optional", true,
       [](auto& c) {
         std::optional<int> o;
         select(recv(c, o));
         return received{true, o.value_or(0), o.has_value()};
       }},
      {"first of two", true,
       [](auto& c) {
         int v = -1;
         bool ok = false;
         return received{select(recv(c, v, ok), recv(dummy())) == 0, v, ok};
       }},
      {"last of three", true,
       [](auto& c) {
         int v = -1;
         bool ok = false;
         return received{select(recv(nil), send(dummy(), 1), recv(c, v, ok)) == 2, v, ok};
       }},
      {"case, otherwise", false,
       [](auto& c) {
         int v = -1;
         bool ok = true;
         return received{select(recv(c, v, ok), otherwise) == 0, v, ok};
       }},
      {"otherwise, case", false,
       [](auto& c) {
         int v = -1;
         bool ok = true;
         return received{select(otherwise, recv(c, v, ok)) == 1, v, ok};
       }},
      {"dummy, otherwise, case", false,
       [](auto& c) {
         int v = -1;
         bool ok = true;
         return received{select(recv(dummy()), otherwise, recv(c, v, ok)) == 2, v, ok};
       }},
      {"case, nil, dummy, otherwise", false,
       [](auto& c) {
         int v = -1;
         bool ok = true;
         return received{select(recv(c, v, ok), send(nil, 1), send(dummy(), 1), otherwise) == 0, v, ok};
       }},
  };
  for (std::size_t of : {1u, 2u, 3u, 10u})
    for (std::size_t at : {std::size_t{0}, of / 2, of - 1})
      for (bool may_block : {true, false})
        all.push_back(
            {"list of " + std::to_string(of), may_block, [=](auto& c) { return dynamic(c, may_block, at, of); }});
  return all;
}

struct named_sender {
  std::string name;
  bool may_block;
  sender f;
};
std::vector<named_sender> senders() {
  return {
      {"send", true, [](auto& c, int v) { return c.send(v), true; }},
      {"view", true, [](auto& c, int v) { return send_chan<int>(c).send(v), true; }},
      {"send_for", true, [](auto& c, int v) { return c.send_for(v, std::chrono::hours(1)); }},
      {"try_send", false, [](auto& c, int v) { return c.try_send(v); }},
      {"one case", true, [](auto& c, int v) { return select(send(c, v)) == 0; }},
      {"first of two", true, [](auto& c, int v) { return select(send(c, v), recv(other_dummy())) == 0; }},
      {"last of three", true,
       [](auto& c, int v) { return select(recv(nil), send(other_dummy(), 1), send(c, v)) == 2; }},
      {"case, otherwise", false, [](auto& c, int v) { return select(send(c, v), otherwise) == 0; }},
      {"otherwise, case", false, [](auto& c, int v) { return select(otherwise, send(c, v)) == 1; }},
      {"dummy, otherwise, case", false,
       [](auto& c, int v) { return select(recv(other_dummy()), otherwise, send(c, v)) == 2; }},
      {"list", true,
       [](auto& c, int v) {
         std::vector<select_case> cases{recv(nil), send(c, v), recv(other_dummy())};
         return select(std::span(cases)) == 1;
       }},
      {"list that may not block", false,
       [](auto& c, int v) {
         std::vector<select_case> cases{recv(other_dummy()), send(c, v)};
         return try_select(std::span(cases)) == 1u;
       }},
  };
}

}  // namespace

TEST_CASE("every way to receive gives what every way to send sent", "[chan][select][SEL-27][CHAN-23]") {
  in_world(GENERATE(1, 4), [] {
    int next = 1;
    for (const auto& r : receivers()) {
      for (const auto& s : senders()) {
        CAPTURE(r.name, s.name);
        auto c = make_chan<int>(2);
        if (!r.may_block) REQUIRE_FALSE(r.f(c).ready);
        REQUIRE(s.f(c, next));
        REQUIRE(s.f(c, next + 1));
        if (!s.may_block) REQUIRE_FALSE(s.f(c, -5));
        for (int i = 0; i < 2; ++i) {
          const received got = r.f(c);
          REQUIRE((got.ready && got.ok && got.v == next + i));
        }
        REQUIRE(c.len() == 0);
        next += 2;
        c.close();
        for (int i = 0; i < 3; ++i) {
          const received none = r.f(c);
          REQUIRE((none.ready && !none.ok && none.v == 0));
        }
        REQUIRE_THROWS_AS(s.f(c, 1), panic);
      }
    }
  });
}

TEST_CASE("every way to receive meets every way to send that blocks", "[chan][select][SEL-27][CHAN-32]") {
  hang_guard guard("a receive and a send did not meet");
  in_world(GENERATE(1, 2, 4), [] {
    int next = 1;
    for (const auto& r : receivers()) {
      if (!r.may_block) continue;
      for (const auto& s : senders()) {
        if (!s.may_block) continue;
        CAPTURE(r.name, s.name);
        auto c = make_chan<int>();
        auto sends = async([&, v = next] { return s.f(c, v); });
        received got = r.f(c);
        REQUIRE((got.ok && got.v == next++));
        REQUIRE(sends.get());
        auto receives = async([&] { return r.f(c); });
        REQUIRE(s.f(c, next));
        got = receives.get();
        REQUIRE((got.ok && got.v == next++));
      }
    }
  });
}

TEST_CASE("a value that is received and dropped is received", "[chan][select][CHAN-32]") {
  hang_guard guard("a dropped value was not received");
  in_world(GENERATE(1, 2, 4), [] {
    const std::function<void(const chan<int>&)> drops[] = {
        [](auto& c) { c.recv(); },
        [](auto& c) { select(recv(c)); },
        [](auto& c) { select(recv(c), recv(dummy())); },
    };
    for (const auto& drop : drops) {
      for (const auto& s : senders()) {
        if (!s.may_block) continue;
        auto c = make_chan<int>();
        auto sends = async([&] { return s.f(c, 1) && s.f(c, 2); });
        drop(c);
        drop(c);
        REQUIRE(sends.get());
      }
    }
  });
}
