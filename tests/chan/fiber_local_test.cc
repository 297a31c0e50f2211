#include <weft/fiber_local.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("each fiber has a value of its own, wherever it runs", "[fiber_local]") {
  hang_guard guard("fibers with locals stand still");
  in_world(GENERATE(1, 2, 4, 16), [] {
    static fiber_local<int> number;
    static fiber_local<std::string> text([] { return std::string("fresh"); });
    *number = -1;
    std::atomic<int> wrong = 0;
    wait_group all;
    for (int f = 0; f < scaled(400); ++f) {
      all.go([&, f] {
        if (*number != 0 || *text != "fresh") ++wrong;
        *number = f;
        *text += std::to_string(f);
        for (int i = 0; i < 20; ++i) {
          yield();
          if (*number != f || *text != "fresh" + std::to_string(f)) ++wrong;
        }
      });
    }
    all.wait();
    CHECK(wrong == 0);
    CHECK(*number == -1);
  });
}

TEST_CASE("a value ends with its fiber, and the next fiber there finds none", "[fiber_local]") {
  in_world(1, [] {
    struct counted {
      std::atomic<int>* alive = nullptr;
      counted() = default;
      counted(counted&& o) noexcept : alive(std::exchange(o.alive, nullptr)) {}
      ~counted() {
        if (alive) --*alive;
      }
    };
    static fiber_local<counted> local;
    std::atomic<int> alive = 0, found = 0;
    wait_group all;
    for (int i = 0; i < 100; ++i) {
      all.go([&, i] {
        if (local->alive) ++found;
        local->alive = &alive;
        ++alive;
        if (i % 3 == 0) yield();
        if (i % 5 == 0) goexit();
      });
    }
    all.wait();
    until([] { return num_fibers() == 1; });
    CHECK(alive == 0);
    CHECK(found == 0);
  });
}

TEST_CASE("a value may use others while it is destroyed, and none is left for the next fiber", "[fiber_local]") {
  in_world(1, [] {
    static fiber_local<int> base;
    static fiber_local<int> made_late;
    static std::atomic<int> seen_base, left_over;
    seen_base = left_over = 0;
    struct uses_others {
      bool real = false;
      uses_others() = default;
      uses_others(uses_others&& o) noexcept : real(std::exchange(o.real, false)) {}
      ~uses_others() {
        if (!real) return;
        seen_base = *base;
        yield();
        *made_late = 5;
      }
    };
    static fiber_local<uses_others> user;
    wait_group all;
    for (int i = 0; i < 50; ++i) {
      all.go([&] {
        if (*made_late != 0 || *base != 0) ++left_over;
        *base = 3;  // made before `user`, so it outlives it
        user->real = true;
      });
    }
    all.wait();
    until([] { return num_fibers() == 1; });
    CHECK(left_over == 0);
    CHECK(seen_base == 3);
  });
}

TEST_CASE("values are destroyed in their fiber, the last made first", "[fiber_local]") {
  in_world(GENERATE(1, 4), [] {
    static std::string order;
    static std::atomic<std::uint64_t> destroyed_in;
    static std::atomic<int> destroyed;
    order.clear();
    destroyed = 0;
    struct named {
      char name = 0;
      named() = default;
      named(named&& o) noexcept : name(std::exchange(o.name, '\0')) {}
      ~named() {
        if (!name) return;
        order += name;
        destroyed_in = this_fiber::id();
        ++destroyed;
      }
    };
    static fiber_local<named> a, b, c;
    std::uint64_t id = 0;
    wait_group all;
    all.go([&] {
      id = this_fiber::id();
      b->name = 'b';
      a->name = 'a';
      c->name = 'c';
    });
    all.wait();
    until([] { return destroyed == 3; });
    CHECK(order == "cab");
    CHECK(destroyed_in == id);
  });
}

TEST_CASE("a plain thread has its own value", "[fiber_local][plain_thread]") {
  static fiber_local<int> number;
  *number = 4;
  std::atomic<int> other = -1;
  std::thread([&] {
    other = *number;
    *number = 9;
  }).join();
  CHECK(other == 0);
  CHECK(*number == 4);
  in_world(2, [&] { CHECK(*number == 0); });
}
