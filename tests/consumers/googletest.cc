// A user's tests with GoogleTest: the first passes, the second fails and prints the story.
#include <gtest/gtest.h>
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/sim.h>

TEST(weft_sim, passes) {
  const auto r = weft::sim::explore([] {
    auto ch = weft::make_chan<int>();
    weft::go([ch] { ch.send(1); });
    weft::sim::require(ch.recv() == 1);
  });
  EXPECT_TRUE(r) << r;
}

TEST(weft_sim, fails) {
  const auto r = weft::sim::explore([] {
    auto ch = weft::make_chan<int>();
    weft::go([ch] { ch.recv(); });
    ch.recv();
  });
  EXPECT_TRUE(r) << r;
}
