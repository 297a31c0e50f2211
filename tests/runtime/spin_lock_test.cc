#include <weft/detail/spin_lock.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using weft::detail::spin_lock;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a spin lock lets one thread in at a time", "[runtime][spin_lock]") {
  hang_guard guard("a spin lock is never free");
  spin_lock lock;
  long plain = 0;  // a lost update, or a race that a sanitizer sees
  const int each = scaled(100'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < each; ++k) {
        const std::lock_guard hold(lock);
        ++plain;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(plain == 4L * each);
}

TEST_CASE("try_lock takes a free lock and no held one", "[runtime][spin_lock]") {
  spin_lock lock;
  CHECK(lock.try_lock());
  CHECK_FALSE(lock.try_lock());
  bool elsewhere = true;
  std::thread([&] { elsewhere = lock.try_lock(); }).join();
  CHECK_FALSE(elsewhere);
  lock.unlock();
  CHECK(lock.try_lock());
  lock.unlock();
}

TEST_CASE("who tries and fails has not changed the lock", "[runtime][spin_lock]") {
  hang_guard guard("a failed try took the lock");
  spin_lock lock;
  int inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < scaled(20'000); ++k) {
        if (i == 0) lock.lock();
        else if (!lock.try_lock()) continue;
        ++inside;
        lock.unlock();
      }
    });
  for (auto& t : threads) t.join();
  CHECK(inside >= scaled(20'000));
}

TEST_CASE("a holder that is put off its CPU is waited for", "[runtime][spin_lock]") {
  hang_guard guard("a waiter misses that the lock is free");
  spin_lock lock;
  std::vector<std::thread> threads;
  int rounds = 0;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        const std::lock_guard hold(lock);
        std::this_thread::sleep_for(2ms);  // past all spinning and yielding of the ones who wait
        ++rounds;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(rounds == 15);
}
