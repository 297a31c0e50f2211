// atomic_value and its snapshots.
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/chan/sync/eventually.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct counted {
  static inline std::atomic<int> alive = 0;
  int a, b;
  explicit counted(int v) : a(v), b(v) { ++alive; }
  counted(const counted& o) : a(o.a), b(o.b) { ++alive; }
  ~counted() {
    a = -1;
    --alive;
  }
};

}  // namespace

TEST_CASE("a load shows what was stored last", "[sync][atomic_value]") {
  in_world(GENERATE(1, 4), [] {
    atomic_value<std::string> v;
    CHECK_FALSE(v.load());
    v.store("one");
    CHECK(*v.load() == "one");
    CHECK(v.load()->size() == 3);
    const std::string copy = v.load();
    CHECK(copy == "one");
    CHECK(*v.swap("two") == "one");
    CHECK(*v.load() == "two");
    atomic_value<int> n(5);
    CHECK(n.load() == 5);
    CHECK(*n.load().get() == 5);
    atomic_value<std::unique_ptr<int>> move_only(std::make_unique<int>(3));
    CHECK(**move_only.load() == 3);
  });
}

TEST_CASE("a compare-and-swap stores only over what was expected", "[sync][atomic_value]") {
  in_world(GENERATE(1, 4), [] {
    atomic_value<int> v;
    CHECK_FALSE(v.compare_and_swap(0, 1));  // has no value yet
    CHECK(v.compare_and_swap(snapshot<int>(), 1));
    CHECK_FALSE(v.compare_and_swap(2, 3));
    CHECK(v.compare_and_swap(1, 2));
    const auto seen = v.load();
    CHECK(v.compare_and_swap(seen, 2));
    CHECK_FALSE(v.compare_and_swap(seen, 3));  // equal, but another version
    CHECK(*v.load() == 2);
  });
}

TEST_CASE("a snapshot stays what it was", "[sync][atomic_value]") {
  in_world(GENERATE(1, 2, 4), [] {
    atomic_value<counted> v(counted(0));
    std::vector<snapshot<counted>> kept;  // more than a thread has slots
    for (int i = 0; i < 100; ++i) {
      kept.push_back(v.load());
      if (i % 3 == 0) kept.push_back(kept.back());
      v.store(counted(i + 1));
      if (i % 10 == 0) sleep(1ms);
    }
    int last = -1;
    for (const auto& s : kept) {
      REQUIRE(s->a == s->b);
      REQUIRE((s->a == last || s->a == last + 1));
      last = s->a;
    }
    CHECK(last == 99);
    CHECK(counted::alive >= 101);
    kept.clear();
  });
}

TEST_CASE("versions that nobody reads are destroyed", "[sync][atomic_value]") {
  in_world(GENERATE(1, 4), [] {
    {
      atomic_value<counted> v(counted(0));
      for (int i = 0; i < 10'000; ++i) v.store(counted(i));
      CHECK(counted::alive <= 66);
      sleep(2ms);
      v.store(counted(1));
      CHECK(counted::alive == 1);  // a store after a while leaves nothing behind
    }
    CHECK(counted::alive == 0);
  });
}

TEST_CASE("a snapshot outlives its atomic value", "[sync][atomic_value]") {
  in_world(GENERATE(1, 4), [] {
    std::optional<snapshot<counted>> kept;
    {
      atomic_value<counted> v(counted(7));
      kept = v.load();
    }
    CHECK((*kept)->a == 7);
    kept.reset();
    atomic_value<counted> another(counted(1));
    another.store(counted(2));  // cleans up after the first, too
    CHECK(counted::alive == 1);
  });
}

TEST_CASE("readers beside writers see whole values that never go back", "[sync][atomic_value]") {
  hang_guard guard("atomic value");
  in_world(GENERATE(1, 2, 4, 16), [] {
    {
      atomic_value<counted> v(counted(0));
      std::atomic<bool> over = false;
      wait_group readers, writers;
      for (int f = 0; f < 6; ++f)
        readers.go([&, f] {
          int last = 0;
          snapshot<counted> held;
          for (int i = 0; !over; ++i) {
            auto s = v.load();
            MUST(s->a == s->b && s->a >= last);
            last = s->a;
            if (i % 16 == f) held = s;             // a copy
            else if (i % 16 == f + 1) held = std::move(s);
            if (i % 8 == 0) yield();               // perhaps on to another P, holding one or two
            MUST(!held || held->a == held->b);
          }
        });
      for (int f = 0; f < 2; ++f)
        writers.go([&] {
          for (int i = 0; i < scaled(4000); ++i) {
            for (;;) {
              const auto now = v.load();
              if (v.compare_and_swap(now, counted(now->a + 1))) break;
            }
            if (i % 16 == 0) yield();
          }
        });
      writers.wait();
      over = true;
      readers.wait();
      CHECK(v.load()->a == 2 * scaled(4000));
    }
    atomic_value<counted> last(counted(0));
    last.store(counted(1));
    CHECK(counted::alive == 1);
  });
}

TEST_CASE("a copy-on-write map gets every key", "[sync][atomic_value]") {
  hang_guard guard("copy-on-write map");
  in_world(GENERATE(1, 2, 4, 16), [] {
    using map = std::map<int, int>;
    atomic_value<map> v(map{});
    mutex writers;
    const int each = scaled(60);
    wait_group all;
    for (int f = 0; f < 4; ++f)
      all.go([&, f] {
        for (int i = 0; i < each; ++i) {
          const auto before = v.load();
          const auto size = before->size();
          {
            const std::lock_guard hold(writers);
            map next = v.load();
            next[f * each + i] = i;
            v.store(std::move(next));
          }
          MUST(before->size() == size);  // a snapshot does not change
          yield();
        }
      });
    all.wait();
    CHECK(v.load()->size() == static_cast<std::size_t>(4 * each));
  });
}

TEST_CASE("threads come and go while they read", "[sync][atomic_value]") {
  hang_guard guard("atomic value and threads");
  {
    atomic_value<counted> v(counted(0));
    std::atomic<bool> broken = false;
    for (int round = 0; round < scaled(60); ++round) {
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
          snapshot<counted> kept;
          for (int i = 0; i < 200; ++i) {
            kept = v.load();
            if (kept->a != kept->b) broken = true;
          }
        });
      for (int i = 0; i < 200; ++i) v.store(counted(i));
      for (auto& t : threads) t.join();
    }
    CHECK_FALSE(broken);
  }
  CHECK(counted::alive == 0);
}
