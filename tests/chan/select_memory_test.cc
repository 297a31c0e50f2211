// What a select costs in memory: nothing that stays.
#include <malloc.h>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("a hundred thousand selects that block leave no memory behind", "[select][SEL-20]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    const auto ping_pong = [&](int n) {
      wait_group all;
      for (int f = 0; f < 2; ++f) {
        all.go([&, n] {
          for (int i = 0; i < n; ++i) {
            int v = 0;
            select(recv(c, v), send(c, i));
          }
        });
      }
      all.wait();
    };
    ping_pong(1000);
    const auto before = static_cast<double>(mallinfo2().uordblks);
    ping_pong(sanitized ? 5000 : 100'000);
    const auto after = static_cast<double>(mallinfo2().uordblks);
    // A sanitizer's allocator is not seen by mallinfo2; LeakSanitizer looks at the end of the
    // program.
    CHECK(after - before <= 110'000);
  });
}
