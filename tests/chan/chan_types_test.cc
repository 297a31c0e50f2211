// What may go through a channel: anything that can be moved, whatever moving it does.
#include <any>
#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Counts its living instances, whatever is done to them.
struct counted {
  static inline std::atomic<int> alive = 0;
  int v;
  explicit counted(int i) : v(i) { ++alive; }
  counted(counted&& o) noexcept : v(std::exchange(o.v, -1)) { ++alive; }
  counted& operator=(counted&& o) noexcept {
    v = std::exchange(o.v, -1);
    return *this;
  }
  ~counted() { --alive; }
};

struct no_default {
  int v;
  explicit no_default(int i) : v(i) {}
};

// Empty, but one cannot be made of nothing, and they are counted.
struct empty_counted {
  static inline std::atomic<int> alive = 0, made = 0;
  explicit empty_counted(int) { ++alive, ++made; }
  empty_counted(empty_counted&&) noexcept { ++alive; }
  empty_counted& operator=(empty_counted&&) noexcept = default;
  ~empty_counted() { --alive; }
};

struct alignas(64) aligned {
  int v = 0;
};

template <class T, class Make, class Read>
void goes_through(Make make, Read read) {
  for (std::size_t cap : {0u, 1u, 3u}) {
    auto c = make_chan<T>(cap);
    wait_group all;
    all.go([&] {
      for (int i = 0; i < 20; ++i) c.send(make(i));
    });
    for (int i = 0; i < 10; ++i) {
      auto got = c.recv();
      REQUIRE(got);
      REQUIRE(read(*got) == i);
    }
    for (int i = 10; i < 19; ++i) {
      std::optional<T> got;
      REQUIRE(select(recv(c, got)) == 0);
      REQUIRE(got);
      REQUIRE(read(*got) == i);
    }
    for (auto& v : c) {
      REQUIRE(read(v) == 19);
      break;
    }
    all.wait();
  }
}

}  // namespace

TEST_CASE("values that can only be moved go through", "[chan]") {
  hang_guard guard("a move-only value got stuck");
  in_world(GENERATE(1, 2, 4), [] {
    goes_through<std::unique_ptr<int>>([](int i) { return std::make_unique<int>(i); },
                                       [](const auto& p) { return *p; });
    goes_through<counted>([](int i) { return counted(i); }, [](const counted& c) { return c.v; });
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("values without a default go through", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    goes_through<no_default>([](int i) { return no_default(i); }, [](const no_default& n) { return n.v; });
    auto c = make_chan<no_default>();
    c.close();
    no_default v(7);
    bool ok = true;
    CHECK(select(recv(c, v, ok)) == 0);
    CHECK_FALSE(ok);
    CHECK(v.v == 7);  // there is no zero value to write
  });
}

TEST_CASE("long strings, over-aligned values, optionals and variants go through", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    goes_through<std::string>([](int i) { return std::string(100, static_cast<char>('a' + i)); },
                              [](const std::string& s) { return s[99] - 'a'; });
    goes_through<aligned>([](int i) { return aligned{i}; },
                          [](const aligned& a) { return reinterpret_cast<std::uintptr_t>(&a) % 64 == 0 ? a.v : -1; });
    goes_through<std::optional<int>>([](int i) { return i == 3 ? std::optional<int>() : i; },
                                     [](const std::optional<int>& o) { return o.value_or(3); });
    goes_through<std::variant<int, std::string>>(
        [](int i) { return i % 2 ? std::variant<int, std::string>(i) : std::to_string(i); },
        [](const auto& v) { return v.index() == 0 ? std::get<0>(v) : std::stoi(std::get<1>(v)); });
    goes_through<std::array<int, 100>>([](int i) { return std::array<int, 100>{i}; },
                                       [](const auto& a) { return a[0]; });
  });
}

TEST_CASE("a channel of void carries the event alone", "[chan][CHAN-17]") {
  hang_guard guard("an event got lost");
  in_world(GENERATE(1, 2, 4), [] {
    for (std::size_t cap : {0u, 1u, 5u}) {
      auto c = make_chan<void>(cap);
      wait_group all;
      all.go([&] {
        for (int i = 0; i < 10; ++i) c.send();
        c.close();
      });
      int n = 0;
      bool ok = false;
      CHECK(c.recv());
      CHECK(select(recv(c, ok)) == 0);
      CHECK(ok);
      for (auto& event : c) {
        static_cast<void>(event);
        ++n;
      }
      CHECK(n == 8);
      CHECK_FALSE(c.recv());
      CHECK(select(recv(c, ok)) == 0);
      CHECK_FALSE(ok);
      CHECK(panic_text([&] { c.send(); }) == "send on closed channel");
      all.wait();
    }
    auto c = make_chan<void>(1);
    CHECK(c.try_send());
    CHECK_FALSE(c.try_send());
    CHECK_FALSE(c.send_for(1ms));
    CHECK(select(send(c), otherwise) == 1);
    CHECK(c.try_recv());
    CHECK_FALSE(c.try_recv());
    CHECK_FALSE(c.recv_for(1ms));
    CHECK(select(send(c), otherwise) == 0);
    CHECK(c.len() == 1);
  });
}

TEST_CASE("values of no size cost no buffer", "[chan][CHAN-17]") {
  in_world(1, [] {
    struct token {};
    auto c = make_chan<token>(std::size_t{1} << 40);  // a byte for each would be a tebibyte
    auto v = make_chan<void>(std::size_t{1} << 40);
    for (int i = 0; i < 1000; ++i) {
      c.send({});
      v.send();
    }
    CHECK(c.len() == 1000);
    CHECK(v.len() == 1000);
    for (int i = 0; i < 1000; ++i) REQUIRE((c.recv() && v.recv()));
    CHECK_FALSE(c.try_recv());
  });
}

TEST_CASE("an empty class with a life of its own goes through like any other", "[chan][CHAN-17]") {
  in_world(1, [] {
    empty_counted::made = 0;
    {
      auto c = make_chan<empty_counted>(4);
      for (int i = 0; i < 3; ++i) c.send(empty_counted(i));
      CHECK(empty_counted::alive == 3);
      CHECK(c.recv());
      CHECK(empty_counted::alive == 2);
    }
    CHECK(empty_counted::alive == 0);
    CHECK(empty_counted::made == 3);
  });
}

TEST_CASE("a channel that came out of a channel is used at once", "[chan][CHAN-28]") {
  hang_guard guard("a channel in a channel got stuck");
  in_world(GENERATE(1, 2, 4), [] {
    auto outer = make_chan<chan<int>>(1);
    auto inner = make_chan<int>(1);
    outer.send(inner);
    outer.recv()->send(17);
    CHECK(inner.recv() == 17);

    auto requests = make_chan<send_chan<int>>();
    auto server = async([requests] {
      int n = 0;
      for (auto& reply : requests) reply.send(n++);
    });
    for (int i = 0; i < 10; ++i) {
      auto reply = make_chan<int>();
      requests.send(reply);
      REQUIRE(reply.recv() == i);
    }
    requests.close();
    server.get();
  });
}

TEST_CASE("anything in an any goes through cases of one channel", "[chan][select][CHAN-37]") {
  in_world(GENERATE(1, 4), [] {
    struct nothing_in_it {};
    auto c = make_chan<std::any>(1);
    nothing_in_it* p = nullptr;
    auto shared = std::make_shared<nothing_in_it>();
    c.send(p);
    CHECK(c.recv()->type() == typeid(nothing_in_it*));
    std::any second = shared, third = p;
    CHECK(select(send(c, second), send(c, third)) < 2);
    CHECK(select(send(c, second), send(c, third), otherwise) == 2);
    std::any got;
    CHECK(select(recv(c, got), recv(c, got)) < 2);
    CHECK(got.has_value());
  });
}

TEST_CASE("every value sent is destroyed once", "[chan]") {
  in_world(GENERATE(1, 4), [] {
    for (std::size_t cap : {0u, 2u}) {
      auto c = make_chan<counted>(cap);
      wait_group all;
      all.go([&] {
        for (int i = 0; i < 10; ++i) c.send(counted(i));
        CHECK_THROWS_AS((c.close(), c.send(counted(1))), panic);
      });
      std::optional<counted> got;
      for (int i = 0; i < 5; ++i) CHECK(c.recv()->v == i);
      for (int i = 5; i < 8; ++i) {
        select(recv(c, got));
        CHECK(got->v == i);
      }
      CHECK(select(recv(c)) == 0);  // discarded
      got.reset();
      CHECK(c.recv()->v == 9);
      all.wait();
    }
    CHECK(counted::alive == 0);
  });
}
