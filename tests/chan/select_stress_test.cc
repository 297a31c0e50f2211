// Many selects over the same channels.
#include <atomic>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

// Dedicated senders and receivers on each of four channels, and one sender and one receiver that
// select among all four. A channel that has had its share is replaced by nil.
TEST_CASE("selects and plain operations on the same channels come to an end", "[select][SEL-05][SEL-28]") {
  hang_guard guard("the select stress stands still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int n = sanitized ? 2'000 : 50'000;
    const std::vector<chan<int>> c{make_chan<int>(0), make_chan<int>(0), make_chan<int>(2), make_chan<int>(3)};
    std::atomic<long> sent = 0, received = 0;
    wait_group all;
    for (int k = 0; k < 4; ++k) {
      all.go([&, k] {
        for (int i = 0; i < n; ++i) {
          c[static_cast<std::size_t>(k)].send(i);
          sent += i;
        }
      });
      all.go([&, k] {
        for (int i = 0; i < n; ++i) received += c[static_cast<std::size_t>(k)].recv().value();
      });
    }
    all.go([&] {
      std::vector<chan<int>> d = c;
      int done[4] = {};
      for (int i = 0; i < 4 * n; ++i) {
        const int k =
            i % 2 == 0 ? select(send(d[0], done[0]), send(d[1], done[1]), send(d[2], done[2]), send(d[3], done[3]))
                       : 3 - select(send(d[3], done[3]), send(d[2], done[2]), send(d[1], done[1]), send(d[0], done[0]));
        sent += done[k];
        if (++done[k] == n) d[static_cast<std::size_t>(k)] = {};
      }
    });
    all.go([&] {
      std::vector<chan<int>> d = c;
      int done[4] = {};
      for (int i = 0; i < 4 * n; ++i) {
        int v = -1;
        const int k = select(recv(d[0], v), recv(d[1], v), recv(d[2], v), recv(d[3], v));
        received += v;
        if (++done[k] == n) d[static_cast<std::size_t>(k)] = {};
      }
    });
    all.wait();
    CHECK(sent == received);
    for (const auto& ch : c) {
      CHECK(ch.len() == 0);
      CHECK(channel_of(ch)->receivers().empty_approx());
      CHECK(channel_of(ch)->senders().empty_approx());
    }
  });
}

TEST_CASE("channels named in any order never lock each other out", "[select][SEL-22]") {
  hang_guard guard("selects over the same channels wait for each other's locks");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::vector<chan<int>> c(5);
    for (auto& ch : c) ch = make_chan<int>();
    auto stop = make_chan<void>();
    std::atomic<long> sent = 0, received = 0;
    std::atomic<int> turns_left = scaled(20'000);
    wait_group all;
    for (std::size_t f = 0; f < 12; ++f) {
      all.go([&, f] {
        const auto at = [&](std::size_t i) { return f % 2 == 0 ? c[(f + i) % 5] : c[(f + 5 - i) % 5]; };
        for (int mine = 1;; ++mine) {
          int v = 0;
          switch (select(recv(at(0), v), send(at(1), mine), recv(at(2), v), send(at(3), mine), recv(at(4), v),
                         recv(stop))) {
            case 1:
            case 3: sent += mine; break;
            case 5: return;
            default: received += v;
          }
          if (--turns_left == 0) stop.close();
        }
      });
    }
    all.wait();
    CHECK(sent == received);
  });
}

TEST_CASE("a wake-up decides exactly one case", "[select][SEL-28]") {
  hang_guard guard("a select was woken and decided nothing");
  in_world(GENERATE(2, 4, 16), [] {
    auto a = make_chan<int>(), b = make_chan<int>(), d = make_chan<int>();
    const int n = scaled(20'000);
    std::atomic<long> sum = 0;
    std::atomic<int> wrong = 0;
    wait_group all;
    // Three concurrent wakers for every select that waits.
    for (const auto& c : {a, b, d}) {
      all.go([&, c] {
        for (int i = 1; i <= n; ++i) c.send(i);
      });
    }
    for (int r = 0; r < 3; ++r) {
      all.go([&] {
        for (int i = 0; i < n; ++i) {
          int va = 0, vb = 0, vd = 0;
          const int chosen = select(recv(a, va), recv(b, vb), recv(d, vd));
          if ((va != 0) + (vb != 0) + (vd != 0) != 1) ++wrong;
          if ((chosen == 0 ? va : chosen == 1 ? vb : vd) == 0) ++wrong;
          sum += va + vb + vd;
        }
      });
    }
    all.wait();
    CHECK(wrong == 0);
    CHECK(sum == 3L * n * (n + 1) / 2);
  });
}
