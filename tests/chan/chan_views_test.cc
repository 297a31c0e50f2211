// Directional views: what may not be done with them does not compile.
#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <string>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

template <class C>
concept receives = requires(const C& c) { c.recv(); } || requires(const C& c) { c.try_recv(); } ||
                   requires(const C& c) { c.recv_for(1s); } || requires(const C& c) { c.begin(); } ||
                   requires(const C& c) { weft::recv(c); };
template <class C>
concept sends = requires(const C& c) { c.send(1); } || requires(const C& c) { c.try_send(1); } ||
                requires(const C& c) { c.send_for(1, 1s); } || requires(const C& c) { weft::send(c, 1); };
template <class C>
concept sends_void = requires(const C& c) { c.send(); } || requires(const C& c) { c.try_send(); } ||
                     requires(const C& c) { weft::send(c); };
template <class C>
concept closes = requires(const C& c) { c.close(); };
template <class From, class To>
concept becomes = std::convertible_to<From, To> || std::constructible_from<To, From> || std::assignable_from<To&, From>;

static_assert(receives<chan<int>> && sends<chan<int>> && closes<chan<int>>);
static_assert(receives<recv_chan<int>> && !sends<recv_chan<int>> && !closes<recv_chan<int>>);
static_assert(!receives<send_chan<int>> && sends<send_chan<int>> && closes<send_chan<int>>);
static_assert(!sends_void<recv_chan<void>> && sends_void<send_chan<void>> && sends_void<chan<void>>);
static_assert(!receives<send_chan<void>>);

static_assert(std::convertible_to<chan<int>, recv_chan<int>> && std::convertible_to<chan<int>, send_chan<int>>);
static_assert(!becomes<recv_chan<int>, chan<int>> && !becomes<send_chan<int>, chan<int>>);
static_assert(!becomes<recv_chan<int>, send_chan<int>> && !becomes<send_chan<int>, recv_chan<int>>);
static_assert(!becomes<chan<int>, chan<long>> && !becomes<chan<int>, recv_chan<long>>);

// What is sent must be what the channel carries.
template <class C, class V>
concept carries = requires(const C& c, V v) { c.send(static_cast<V>(v)); } ||
                  requires(const C& c, V v) { c.try_send(static_cast<V>(v)); } ||
                  requires(const C& c, V v) { c.send_for(static_cast<V>(v), 1s); } ||
                  requires(const C& c, V v) { weft::send(c, static_cast<V>(v)); };
template <class C, class V>
concept receives_into = requires(const C& c, V& v) { weft::recv(c, v); };

static_assert(carries<chan<std::unique_ptr<int>>, std::unique_ptr<int>&&> && carries<chan<std::string>, const char*>);
static_assert(!carries<chan<std::unique_ptr<int>>, const std::unique_ptr<int>&>);
static_assert(!carries<chan<int>, int*> && !carries<chan<void>, int> && !sends_void<chan<int>>);
static_assert(receives_into<chan<int>, int> && receives_into<chan<int>, std::optional<int>>);
static_assert(!receives_into<chan<int>, std::string> && !receives_into<chan<void>, int>);

// A range, though one that can be gone through only once.
static_assert(std::ranges::input_range<chan<int>> && std::ranges::input_range<const recv_chan<std::string>>);
static_assert(std::ranges::input_range<chan<std::unique_ptr<int>>> && std::ranges::input_range<chan<void>>);
static_assert(!std::ranges::forward_range<chan<int>> && !std::ranges::range<send_chan<int>>);

}  // namespace

TEST_CASE("a view is a handle of the same channel", "[chan][CHAN-26]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>(2);
    const send_chan<int> in = c;
    const recv_chan<int> out = c;
    in.send(1);
    CHECK(out.len() == 1);
    CHECK(out.recv() == 1);
    c = {};  // the views keep the channel
    in.send(2);
    in.close();
    CHECK(out.cap() == 2);
    CHECK(out.recv() == 2);
    CHECK_FALSE(out.recv());
  });
}

TEST_CASE("a channel goes through the standard library's views", "[chan][CHAN-26]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    wait_group all;
    all.go([&] {
      for (int i = 0; i < 100; ++i) c.send(i);
      c.close();
    });
    int sum = 0;
    auto even = [](int i) { return i % 2 == 0; };
    for (int i : c | std::views::filter(even) | std::views::transform([](int i) { return i * 10; })) sum += i;
    CHECK(sum == 24'500);
    all.wait();
  });
}
