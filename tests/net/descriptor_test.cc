// The counts and turns of a shared descriptor, without a network.
#include "net/fd/descriptor.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "tests/net/on_each_poller.h"
#include "tests/support/child.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using detail::direction_kind;
using detail::wait_result;

namespace {

detail::descriptor* make_descriptor() { return new detail::descriptor(eventfd(0, EFD_CLOEXEC), {}, {}); }
// The number may be another one's for a moment: the monitor opens files, too.
bool is_open(int fd) {
  char what[64] = {};
  return readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), what, sizeof what - 1) > 0 &&
         std::strstr(what, "eventfd");
}

}  // namespace

TEST_CASE("what an operation goes on with lies in the cache lines that its completion asks for", "[net]") {
  detail::descriptor* d = make_descriptor();
  const auto line_of = [d](const void* at) {
    return static_cast<std::size_t>(static_cast<const char*>(at) - reinterpret_cast<const char*>(d)) / 64;
  };
  constexpr std::size_t touched = 40;  // bytes of a direction, from its beginning to the queue for the lock
  for (const direction_kind which : {direction_kind::reading, direction_kind::writing}) {
    const auto* h = reinterpret_cast<const char*>(&d->direction_for(which));
    CHECK(line_of(h) == detail::io_op::prefetched[static_cast<int>(which)] / 64);
    CHECK(line_of(h + touched - 1) == line_of(h));
  }
  CHECK(line_of(&d->is_stream) == 0);
  d->drop_handle();
}

TEST_CASE("close refuses what comes after it, and waits for what came before", "[net][SYN-48]") {
  const hang_guard guard("a descriptor closes");
  in_world(GENERATE(1, 2, 4), [] {
    detail::descriptor* d = make_descriptor();
    const int fd = d->fd();
    CHECK(d->enter());
    CHECK(d->enter());
    CHECK(d->lock(direction_kind::reading, nullptr) == wait_result::none);
    CHECK(d->lock(direction_kind::writing, nullptr) == wait_result::none);  // they are independent
    auto queued = make_chan<wait_result>(1);
    auto closed = make_chan<std::error_code>(1);
    go([&] { queued.send(d->lock(direction_kind::reading, nullptr)); });
    sleep(1ms);
    CHECK_FALSE(queued.try_recv());
    go([&] { closed.send(d->close()); });
    CHECK(queued.recv() == wait_result::closed);
    CHECK_FALSE(d->enter());
    CHECK(d->lock(direction_kind::writing, nullptr) == wait_result::closed);
    d->leave();
    d->unlock(direction_kind::reading);
    d->leave();
    sleep(1ms);
    CHECK_FALSE(closed.try_recv());
    CHECK(is_open(fd));
    d->unlock(direction_kind::writing);
    CHECK(closed.recv() == std::error_code());
    CHECK_FALSE(is_open(fd));
    CHECK(d->close() == errc::closed);
    d->drop_handle();
  });
}

TEST_CASE("one reads and one writes at a time, whatever comes and goes beside them", "[net][SYN-51]") {
  const hang_guard guard("turns on a descriptor");
  in_world(GENERATE(1, 2, 4, 16), [] {
    detail::descriptor* d = make_descriptor();
    std::array<std::atomic<int>, 2> inside{};
    std::atomic<long> turns = 0;
    const int n = scaled(20'000);
    wait_group all;
    for (unsigned i = 0; i < 8; ++i)
      all.go([&, i] {
        std::uint32_t dice = i + 1;
        for (int k = 0; k < n; ++k) {
          dice = dice * 1664525 + 1013904223;
          const detail::in_use hold(d);
          FACT(hold);
          if (dice >> 30 == 0) continue;
          const int which = static_cast<int>(dice >> 29 & 1);
          const direction_kind h = which ? direction_kind::writing : direction_kind::reading;
          FACT(d->lock(h, nullptr) == wait_result::none);
          FACT(inside[static_cast<std::size_t>(which)]++ == 0);
          if ((dice >> 20) % 16 == 0) yield();
          --inside[static_cast<std::size_t>(which)];
          ++turns;
          d->unlock(h);
        }
      });
    all.wait();
    FACT(turns > 0);
    FACT(!d->close());
    d->drop_handle();
  });
  report_broken_fact();
}

// A turn is no counted operation until a close: from then on its holder keeps the number
// nevertheless.
TEST_CASE("the number is the holder's while it has a turn, whoever closes and whoever drops it", "[net][SYN-48]") {
  const hang_guard guard("descriptors close under operations");
  in_world(GENERATE(1, 2, 4, 16), [] {
    const int rounds = scaled(3'000);
    for (int round = 0; round < rounds; ++round) {
      detail::descriptor* d = make_descriptor();
      const int fd = d->fd();
      const bool closes = round % 3 != 0;
      if (closes) d->add_handle();  // the closer's; the other goes while operations are under way
      wait_group users;
      std::atomic<int> begun = 0;
      for (unsigned i = 0; i < 6; ++i)
        users.go([&, i] {
          const direction_kind h = i % 2 ? direction_kind::writing : direction_kind::reading;
          for (int k = 0; k < 20; ++k) {
            if (k == 0) ++begun;
            const wait_result e = d->lock(h, nullptr);
            if (e != wait_result::none) {
              FACT(e == wait_result::closed);
              return;
            }
            FACT(is_open(fd));
            if ((i + static_cast<unsigned>(k + round)) % 3 == 0) yield();
            FACT(is_open(fd));
            d->unlock(h);
            if (!closes) return;  // no one keeps it for a second operation
          }
        });
      if (closes) {
        while (begun < 1 + round % 6) yield();
        if (round % 2 == 0) d->drop_handle();
        FACT(!d->close());
        FACT(!is_open(fd));
        users.wait();
        if (round % 2 != 0) d->drop_handle();
        d->drop_handle();
      } else {
        users.wait();
        FACT(d->lock(direction_kind::reading, nullptr) == wait_result::none);
        FACT(d->lock(direction_kind::writing, nullptr) == wait_result::none);
        d->drop_handle();
        FACT(is_open(fd));
        d->unlock(direction_kind::writing);
        FACT(is_open(fd));
        d->unlock(direction_kind::reading);
        FACT(!is_open(fd));
      }
    }
  });
  report_broken_fact();
}

TEST_CASE("a turn that ends twice ends the process", "[net][SYN-50]") {
  const outcome o = run_child({beside_this_program("net_scenarios"), "turn-ends-twice"});
  CHECK_THAT(o.err, Contains("fatal error: net: an operation on a descriptor ends that never began"));
  CHECK(o.status == 128 + SIGABRT);
}

TEST_CASE("more operations at once than a descriptor counts are refused, and none is lost", "[net][SYN-50]") {
  in_world(1, [] {
    detail::descriptor* d = make_descriptor();
    constexpr int most = 1'048'575;
    for (int i = 0; i < most; ++i) FACT(d->enter());
    CHECK_THROWS_WITH(d->enter(), Contains("too many") && Contains("1048575"));
    CHECK_THROWS_WITH(d->close(), Contains("too many"));
    CHECK_FALSE(d->closed());
    d->leave();
    CHECK(d->enter());
    for (int i = 0; i < most; ++i) d->leave();
    CHECK_FALSE(d->close());
    d->drop_handle();
  });
}

TEST_CASE("an operation that ends twice ends the process", "[net][SYN-50]") {
  const outcome o = run_child({beside_this_program("net_scenarios"), "operation-ends-twice"});
  CHECK_THAT(o.err, Contains("fatal error: net: an operation on a descriptor ends that never began"));
  CHECK(o.status == 128 + SIGABRT);
}
