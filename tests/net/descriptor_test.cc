// The counts and turns of a shared descriptor, without a network.
#include "net/descriptor.h"

#include <fcntl.h>
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
using detail::half_of;

namespace {

detail::descriptor* make_descriptor() { return new detail::descriptor(eventfd(0, EFD_CLOEXEC), {}, {}); }
bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("close refuses what comes after it, and waits for what came before", "[net][SYN-48]") {
  const hang_guard guard("a descriptor closes");
  in_world(GENERATE(1, 2, 4), [] {
    detail::descriptor* d = make_descriptor();
    const int fd = d->fd();
    CHECK(d->enter());
    CHECK(d->enter());
    CHECK_FALSE(d->half_for(half_of::reading).begin(nullptr));
    CHECK_FALSE(d->half_for(half_of::writing).begin(nullptr));  // they know nothing of each other
    auto queued = make_chan<std::error_code>(1);
    auto closed = make_chan<std::error_code>(1);
    go([&] { queued.send(d->half_for(half_of::reading).begin(nullptr)); });
    sleep(1ms);
    CHECK_FALSE(queued.try_recv());
    go([&] { closed.send(d->close()); });
    CHECK(queued.recv() == std::error_code(errc::closed));
    CHECK_FALSE(d->enter());
    CHECK(d->half_for(half_of::writing).begin(nullptr) == errc::closed);
    d->half_for(half_of::reading).end();
    d->half_for(half_of::writing).end();
    d->leave();
    sleep(1ms);
    CHECK_FALSE(closed.try_recv());
    CHECK(is_open(fd));
    d->leave();
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
          detail::half& h = d->half_for(which ? half_of::writing : half_of::reading);
          FACT(!h.begin(nullptr));
          FACT(inside[static_cast<std::size_t>(which)]++ == 0);
          if ((dice >> 20) % 16 == 0) yield();
          --inside[static_cast<std::size_t>(which)];
          ++turns;
          h.end();
        }
      });
    all.wait();
    FACT(turns > 0);
    FACT(!d->close());
    d->drop_handle();
  });
  report_broken_fact();
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
