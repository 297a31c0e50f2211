// Programs in small: workers on a queue, a sieve, streams on demand.
#include <array>
#include <atomic>
#include <deque>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("many workers on one queue do all of it once", "[chan][CHAN-25]") {
  hang_guard guard("workers on a queue stand still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int workers = 23, some_prime = 31;
    const long items = sanitized ? 20'000 : 271'828;
    auto in = make_chan<long>(workers), out = make_chan<long>(workers);
    wait_group all;
    for (int w = 0; w < workers; ++w) {
      all.go([&] {
        for (long v : in) {
          if (v % some_prime == 0) yield();  // so that they do not all work in step
          out.send(v);
        }
      });
    }
    go([&, in, out] {
      long expected = 0;
      for (long i = 0; i < items; ++i) {
        in.send(i % 1000);
        expected += i % 1000;
      }
      in.close();
      all.wait();
      out.send(-expected);
      out.close();
    });
    long count = 0, sum = 0;
    for (long v : out) {
      ++count;
      sum += v;
    }
    CHECK(count == items + 1);
    CHECK(sum == 0);
  });
}

TEST_CASE("a chain of filters yields the primes", "[chan][CHAN-30]") {
  hang_guard guard("the sieve stands still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto numbers = make_chan<int>();
    auto stop = make_chan<void>();
    go([numbers, stop] {
      for (int i = 2;; ++i)
        if (select(send(numbers, i), recv(stop)) == 1) return;
    });
    recv_chan<int> from = numbers;
    std::vector<int> primes;
    while (primes.size() < 25) {
      const int prime = from.recv().value();
      primes.push_back(prime);
      auto rest = make_chan<int>();
      go([from, rest, stop, prime] {
        for (;;) {
          int i = 0;
          if (select(recv(from, i), recv(stop)) == 1) return;
          if (i % prime != 0 && select(send(rest, i), recv(stop)) == 1) return;
        }
      });
      from = rest;
    }
    CHECK(primes == std::vector<int>{2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37, 41,
                                     43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97});
    stop.close();
  });
}

namespace {

// A power series that computes a coefficient on request.
struct series {
  chan<void> request = make_chan<void>();
  chan<long> answer = make_chan<long>();

  long next() const {
    request.send();
    return answer.recv().value();
  }
};

template <class F>
series computed(F f) {
  series s;
  go([s, f]() mutable {
    for (;;) {
      s.request.recv();
      s.answer.send(f());
    }
  });
  return s;
}

series ones() {
  return computed([] { return 1L; });
}
series scaled_by(long c, series f) {
  return computed([c, f] { return c * f.next(); });
}
series shifted(series f) {
  return computed([f, first = true]() mutable { return std::exchange(first, false) ? 0 : f.next(); });
}

// Two that give what f gives, each at its own pace.
std::pair<series, series> split(series f) {
  std::pair<series, series> two;
  go([two, f] {
    std::array<std::deque<long>, 2> ahead;
    for (;;) {
      const std::size_t i = select(recv(two.first.request), recv(two.second.request)) == 0 ? 0 : 1;
      if (ahead[i].empty()) {
        const long v = f.next();
        ahead[0].push_back(v);
        ahead[1].push_back(v);
      }
      (i == 0 ? two.first : two.second).answer.send(ahead[i].front());
      ahead[i].pop_front();
    }
  });
  return two;
}

// (f + xF)(g + xG) = fg + x(fG + gF + xFG)
series product(series a, series b) {
  series s;
  go([s, a, b] {
    s.request.recv();
    const long f = a.next(), g = b.next();
    s.answer.send(f * g);
    const auto [a1, a2] = split(a);
    const auto [b1, b2] = split(b);
    const series f_rest = scaled_by(f, b1), g_rest = scaled_by(g, a1), both = shifted(product(a2, b2));
    for (;;) {
      s.request.recv();
      s.answer.send(f_rest.next() + g_rest.next() + both.next());
    }
  });
  return s;
}

}  // namespace

TEST_CASE("streams on demand multiply power series, and are left behind without harm", "[chan][CHAN-31]") {
  hang_guard guard("streams stand still");
  for (int round = 0; round < 3; ++round) {
    in_leaky_world(GENERATE(1, 2, 4), [] {
      const series squared = product(ones(), ones());  // of 1/(1-x): coefficients 1, 2, 3, ...
      for (long n = 1; n <= 25; ++n) REQUIRE(squared.next() == n);
      const series fourth = product(product(ones(), ones()), product(ones(), ones()));
      for (long n = 0; n < 12; ++n) REQUIRE(fourth.next() == (n + 1) * (n + 2) * (n + 3) / 6);
      CHECK(num_fibers() > 100);
    });
  }
}

TEST_CASE("what was written before a send is seen after its receive", "[chan][CHAN-33]") {
  hang_guard guard("a value was not received");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int items = 1000, receivers = 10;
    for (std::size_t cap : {0u, 1u, 4u}) {
      struct mark {
        bool sent = false;  // plain: the channel alone orders them
        int received = 0;
      };
      std::vector<mark> marks(items);
      auto c = make_chan<int>(cap);
      std::atomic<int> unsent = 0;
      wait_group all;
      for (int r = 0; r < receivers; ++r) {
        all.go([&] {
          for (int i : c) {
            if (!marks[static_cast<std::size_t>(i)].sent) ++unsent;
            ++marks[static_cast<std::size_t>(i)].received;
          }
        });
      }
      for (int i = 0; i < items; ++i) {
        marks[static_cast<std::size_t>(i)].sent = true;
        c.send(i);
      }
      c.close();
      all.wait();
      CHECK(unsent == 0);
      for (const mark& m : marks) REQUIRE(m.received == 1);
    }
  });
}

TEST_CASE("the n-th receive comes before the send that it makes room for", "[chan][CHAN-03]") {
  in_world(GENERATE(2, 4, 16), [] {  // a channel of capacity n as a semaphore of n
    constexpr int n = 3;
    auto slots = make_chan<void>(n);
    std::atomic<int> inside = 0, most = 0;
    std::vector<int> plain(n);  // as many as may be inside, each written by one at a time
    auto free = make_chan<std::size_t>(n);
    for (std::size_t i = 0; i < n; ++i) free.send(i);
    wait_group all;
    for (int f = 0; f < 20; ++f) {
      all.go([&] {
        for (int i = 0; i < scaled(1000); ++i) {
          slots.send();
          const int now_inside = ++inside;
          for (int m = most; now_inside > m && !most.compare_exchange_weak(m, now_inside);) {
          }
          const std::size_t mine = free.recv().value();
          ++plain[mine];
          free.send(mine);
          --inside;
          slots.recv();
        }
      });
    }
    all.wait();
    CHECK(most <= n);
    int sum = 0;
    for (int p : plain) sum += p;
    CHECK(sum == 20 * scaled(1000));
  });
}
