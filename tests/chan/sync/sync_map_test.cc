// sync_map.
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("a sync map does what a map does", "[sync][sync_map]") {
  in_world(GENERATE(1, 4), [] {
    std::mt19937 random(7);
    sync_map<int, int> m;
    std::unordered_map<int, int> model;
    const auto in_model = [&](int k) {
      const auto at = model.find(k);
      return at == model.end() ? std::optional<int>() : at->second;
    };
    for (int i = 0; i < scaled(40'000); ++i) {
      const int k = static_cast<int>(random() % 64), v = static_cast<int>(random() % 8);
      const std::optional<int> was = in_model(k);
      switch (random() % 9) {
        case 0: REQUIRE(m.load(k) == was); break;
        case 1:
          m.store(k, v);
          model[k] = v;
          break;
        case 2: {
          const auto [value, loaded] = m.load_or_store(k, v);
          REQUIRE(loaded == was.has_value());
          REQUIRE(value == was.value_or(v));
          model.try_emplace(k, v);
          break;
        }
        case 3:
          REQUIRE(m.load_and_delete(k) == was);
          model.erase(k);
          break;
        case 4:
          REQUIRE(m.erase(k) == was.has_value());
          model.erase(k);
          break;
        case 5:
          REQUIRE(m.swap(k, v) == was);
          model[k] = v;
          break;
        case 6:
          REQUIRE(m.compare_and_swap(k, v, v + 1) == (was == v));
          if (was == v) model[k] = v + 1;
          break;
        case 7:
          REQUIRE(m.compare_and_delete(k, v) == (was == v));
          if (was == v) model.erase(k);
          break;
        case 8: {
          if (i % 16) break;
          std::unordered_map<int, int> seen;
          m.range([&](const int& key, const int& value) { REQUIRE(seen.emplace(key, value).second); });
          REQUIRE(seen == model);
          break;
        }
      }
    }
    m.clear();
    m.range([](int, int) { FAIL("is empty"); });
  });
}

TEST_CASE("a range beside stores sees each key once, with a value that it had", "[sync][sync_map][SYN-40]") {
  hang_guard guard("a range hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int n = 1024;
    sync_map<int, int> m;
    for (int k = 1; k <= n; ++k) m.store(k, k);
    std::atomic<bool> over = false;
    wait_group all;
    for (int f = 1; f <= 4; ++f)
      all.go([&, f] {
        for (int i = 0; !over; ++i) {
          for (int k = 1; k <= n; ++k) {
            if (k % 64 == f) yield();
            if (k % 5 == 0) m.load(k);
            else m.store(k, k * (1 + (i + f) % 3));
          }
        }
      });
    for (int round = 0; round < scaled(60); ++round) {
      std::set<int> seen;
      m.range([&](const int& k, const int& v) {
        if (v % k != 0 || v / k > 3) FAIL("a value that was never stored: " << v << " under " << k);
        if (!seen.insert(k).second) FAIL("twice: " << k);
        return true;
      });
      REQUIRE(seen.size() == n);
      yield();
    }
    over = true;
    all.wait();
  });
}

TEST_CASE("a range may be nested and may use the map", "[sync][sync_map][SYN-41]") {
  hang_guard guard("a nested range hangs");
  in_world(GENERATE(1, 2, 4), [] {
    sync_map<std::string, std::string> m;
    const std::vector<std::string> keys{"one", "two", "three", "four", "five"};
    for (const auto& k : keys) m.store(k, "v" + k);
    int inner = 0;
    m.range([&](const std::string& k, const std::string& v) {
      m.range([&](const std::string& k2, const std::string&) {
        if (const auto [v2, loaded] = m.load_or_store(k2, "new"); loaded) ++inner;
        m.load_and_delete(k2);
        m.store(k2, "again");
      });
      REQUIRE((m.load(k) == "again" || v == "again"));
      m.erase(k);
      return true;
    });
    CHECK(inner == 5 + 4 + 3 + 2 + 1);
    m.range([](const std::string&, const std::string&) { FAIL("all were deleted"); });
  });
}

TEST_CASE("a range ends when its function says so", "[sync][sync_map][SYN-41]") {
  in_world(1, [] {
    sync_map<int, int> m;
    for (int i = 0; i < 100; ++i) m.store(i, i);
    int calls = 0;
    m.range([&](int, int) { return ++calls < 3; });
    CHECK(calls == 3);
  });
}

TEST_CASE("deleted keys and values are destroyed", "[sync][sync_map][SYN-42]") {
  in_world(GENERATE(1, 4), [] {
    struct key {
      std::shared_ptr<int> p;
      bool operator==(const key& o) const { return *p == *o.p; }
    };
    struct hash_key {
      std::size_t operator()(const key& k) const { return static_cast<std::size_t>(*k.p); }
    };
    sync_map<key, std::shared_ptr<int>, hash_key> m;
    std::vector<std::weak_ptr<int>> watched;
    for (int i = 0; i < 100; ++i) {
      auto k = std::make_shared<int>(i), v = std::make_shared<int>(i);
      watched.emplace_back(k);
      watched.emplace_back(v);
      m.store(key{k}, v);
      m.store(key{std::make_shared<int>(i)}, v);  // keeps the first key
      if (i % 3 == 0) m.erase(key{k});
      else if (i % 3 == 1) m.load_and_delete(key{k});
      else m.compare_and_delete(key{k}, v);
    }
    for (const auto& w : watched) CHECK(w.expired());
  });
}

TEST_CASE("one of those who store the same new key wins, and all see its value", "[sync][sync_map]") {
  hang_guard guard("load_or_store hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(400); ++round) {
      sync_map<int, int> m;
      std::atomic<int> stored = 0, winner = -1;
      wait_group all;
      for (int f = 0; f < 8; ++f)
        all.go([&, f] {
          const auto [v, loaded] = m.load_or_store(round, f);
          if (!loaded) {
            ++stored;
            winner = f;
          }
          MUST(m.load(round) == v);
        });
      all.wait();
      REQUIRE(stored == 1);
      REQUIRE(m.load(round) == winner.load());
    }
  });
}

TEST_CASE("compare-and-swap counts right", "[sync][sync_map]") {
  hang_guard guard("compare_and_swap hangs");
  in_world(GENERATE(1, 2, 4, 16), [] {
    sync_map<int, int> m;
    for (int k = 0; k < 4; ++k) m.store(k, 0);
    const int each = scaled(1000);
    wait_group all;
    for (int f = 0; f < 8; ++f)
      all.go([&] {
        for (int i = 0; i < each; ++i)
          for (;;) {
            const int v = *m.load(i % 4);
            if (m.compare_and_swap(i % 4, v, v + 1)) break;
          }
      });
    all.wait();
    int sum = 0;
    m.range([&](int, int v) { sum += v; });
    CHECK(sum == 8 * each);
  });
}

TEST_CASE("a sync map survives values whose copies throw", "[sync][sync_map]") {
  struct brittle {
    int v = 0;
    bool breaks = false;
    brittle(int n, bool b) : v(n), breaks(b) {}
    brittle(const brittle& o) : v(o.v), breaks(o.breaks) {
      if (breaks) throw std::runtime_error("cannot be copied");
    }
    brittle(brittle&&) = default;
    brittle& operator=(const brittle&) = default;
    brittle& operator=(brittle&&) = default;
  };
  in_world(1, [] {
    sync_map<int, brittle> m;
    m.store(1, brittle(1, true));
    CHECK_THROWS_AS(m.load(1), std::runtime_error);
    CHECK_THROWS_AS(m.range([](int, const brittle&) {}), std::runtime_error);
    m.store(1, brittle(2, false));  // its part is not locked any more
    CHECK(m.load(1)->v == 2);
  });
}
