#include <weft/once.h>

#include <atomic>
#include <stdexcept>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("of many callers one runs the function, and none returns before it has", "[sync][once][SYN-21][SYN-47]") {
  hang_guard guard("a once never ends");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(500); ++round) {
      once o;
      int runs = 0;  // plain: the once alone orders it
      std::atomic<int> wrong = 0;
      wait_group all;
      for (int i = 0; i < 10; ++i) {
        all.go([&] {
          o.call([&] {
            yield();
            ++runs;
          });
          if (runs != 1) ++wrong;
        });
      }
      all.wait();
      REQUIRE(runs == 1);
      REQUIRE(wrong == 0);
    }
  });
}

TEST_CASE("a call that throws was the one call", "[sync][once][SYN-22]") {
  in_world(GENERATE(1, 4), [] {
    once o;
    int runs = 0;
    CHECK_THROWS_AS(o.call([&] {
      ++runs;
      throw std::runtime_error("the first");
    }),
                    std::runtime_error);
    o.call([&] { ++runs; });
    CHECK(runs == 1);
  });
}

TEST_CASE("a call that ends its fiber was the one call", "[sync][once][SYN-22]") {
  hang_guard guard("a once stays locked");
  in_world(GENERATE(1, 4), [] {
    once o;
    wait_group all;
    all.go([&] { o.call([] { goexit(); }); });
    all.wait();
    bool ran = false;
    o.call([&] { ran = true; });
    CHECK_FALSE(ran);
  });
}
