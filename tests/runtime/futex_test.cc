#include "runtime/futex.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "runtime/clock.h"
#include "tests/support/catch.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft::detail;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a wait on another value returns at once", "[runtime][futex]") {
  hang_guard guard("a futex wait on another value sleeps");
  std::atomic<std::uint32_t> word = 1;
  CHECK(futex_wait(word, 0, never));
  CHECK(futex_wait(word, 0, now_ns() + 3'600'000'000'000));
}

TEST_CASE("a wait ends at its deadline, says so, and is not early", "[runtime][futex]") {
  hang_guard guard("a futex wait does not end at its deadline");
  std::atomic<std::uint32_t> word = 0;
  for (std::int64_t ns : {1'000, 50'000, 1'000'000, 20'000'000}) {
    const std::int64_t until = now_ns() + ns;
    while (futex_wait(word, 0, until)) {  // a wake-up for no reason is allowed
    }
    CHECK(now_ns() >= until);
  }
}

TEST_CASE("a deadline that has passed ends the wait at once", "[runtime][futex]") {
  hang_guard guard("a futex wait past its deadline sleeps");
  std::atomic<std::uint32_t> word = 0;
  for (std::int64_t until : {std::int64_t{0}, std::int64_t{1}, now_ns() - 1, now_ns()}) {
    while (futex_wait(word, 0, until)) {
    }
  }
}

TEST_CASE("the last instant before never is a deadline like others", "[runtime][futex]") {
  hang_guard guard("a wait with a far deadline is not woken");
  std::atomic<std::uint32_t> word = 0;
  std::thread waker([&] {
    std::this_thread::sleep_for(5ms);
    word = 1;
    futex_wake(word, 1);
  });
  bool in_time = true;
  while (word == 0) in_time = futex_wait(word, 0, never - 1) && in_time;
  waker.join();
  CHECK(in_time);
}

TEST_CASE("a wake-up is not lost between the look at the word and the sleep", "[runtime][futex]") {
  hang_guard guard("a futex wake-up was lost");
  std::atomic<std::uint32_t> word = 0;
  const std::uint32_t rounds = static_cast<std::uint32_t>(scaled(20'000));
  std::thread partner([&] {
    for (std::uint32_t i = 1; i < 2 * rounds; i += 2) {
      for (std::uint32_t w; (w = word.load()) != i;) futex_wait(word, w, never);
      word = i + 1;
      futex_wake(word, 1);
    }
  });
  for (std::uint32_t i = 0; i < 2 * rounds; i += 2) {
    word = i + 1;
    futex_wake(word, 1);
    for (std::uint32_t w; (w = word.load()) != i + 2;) futex_wait(word, w, never);
  }
  partner.join();
  CHECK(word == 2 * rounds);
}

TEST_CASE("a wake-up of one leaves the others asleep", "[runtime][futex]") {
  hang_guard guard("sleepers of a futex are not woken");
  std::atomic<std::uint32_t> word = 0;
  std::atomic<int> up = 0;
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 4; ++i)
    sleepers.emplace_back([&] {
      while (word == 0) futex_wait(word, 0, never);
      ++up;
    });
  std::this_thread::sleep_for(20ms);
  CHECK(up == 0);
  word = 1;  // a thread that waits for another reason may wake, too; a wake-up of 0 wakes none
  futex_wake(word, 1);
  while (up == 0) std::this_thread::sleep_for(1ms);
  futex_wake(word, 3);
  for (auto& s : sleepers) s.join();
  CHECK(up == 4);
}
