// Plain threads that use a world while it ends.
#include <weft/weft.h>

#include <atomic>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

// The fiber that it wakes ends the world while the thread may still be on its way back from waking
// it.
TEST_CASE("a plain thread's send may be the end of the world", "[chan][plain_thread]") {
  const hang_guard guard("a world that a plain thread ends");
  const int procs = GENERATE(1, 2, 4);
  auto values = make_chan<int>();
  auto worlds = make_chan<void>(1);
  const int n = scaled(400);
  std::thread thread([&] {
    for (int i = 0; i < n; ++i) {
      worlds.recv();
      if (i % 2) std::this_thread::sleep_for(50us);
      values.send(i);
    }
  });
  int wrong = 0;
  options o;
  o.maxprocs = procs;
  for (int i = 0; i < n; ++i)
    run(o, [&] {
      worlds.send();
      if (values.recv() != i) ++wrong;
    });
  thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a plain thread uses a world for what it can while worlds come and go", "[chan][plain_thread]") {
  const hang_guard guard("worlds come and go");
  std::atomic<bool> over = false;
  std::atomic<int> begun = 0, ran = 0, refused = 0;
  std::thread thread([&] {
    while (!over) {
      (void)num_fibers();
      (void)stats();
      try {
        auto t = after_func(1h, [] {});
        t.stop();
        go([&] { ++ran; });
      } catch (const panic&) {
        ++refused;
      }
    }
  });
  options o;
  o.maxprocs = 2;
  for (int i = 0; i < scaled(300); ++i)
    run(o, [&] {
      ++begun;
      yield();
      if (i % 8 == 0) sleep(100us);
    });
  over = true;
  thread.join();
  CHECK(begun == scaled(300));
}
