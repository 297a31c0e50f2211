// Events of a descriptor that is closed by the time when they are looked at.
#include "net/poller/epoll.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "runtime/clock.h"
#include "tests/net/on_each_poller.h"
#include "tests/support/private_member.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using detail::direction_kind;

namespace weft::testing {
struct its_deliver {
  friend void (detail::epoll_poller::*member_of(its_deliver))(std::uint64_t, std::uint32_t, detail::ready_list&);
};
template struct private_member<its_deliver, &detail::epoll_poller::deliver>;
}  // namespace weft::testing

TEST_CASE("an event that was fetched before its descriptor was closed does not reach the next one", "[net][NET-68]") {
  static auto& poller = *new detail::epoll_poller;  // as the process's own it is never gone
  REQUIRE(poller.open() == 0);
  detail::ready_list ready;
  const auto deliver = [&](std::uint64_t name, std::uint32_t events) {
    (poller.*member_of(its_deliver()))(name, events, ready);
  };
  const auto name_of = [](const detail::epoll_slot& s) { return std::uint64_t{s.uses.load()} << 32 | s.index; };
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  detail::epoll_slot* const first = poller.watch(ends[0]);
  REQUIRE(first);
  const std::uint64_t old = name_of(*first);
  deliver(old, EPOLLIN);
  CHECK(first->edge_waits(direction_kind::reading));
  poller.unwatch(first, ends[0]);
  const int number = ends[0];
  close(ends[0]);
  close(ends[1]);

  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  CHECK(ends[0] == number);
  detail::epoll_slot* const second = poller.watch(ends[0]);
  CHECK(second == first);
  deliver(old, EPOLLIN | EPOLLRDHUP);
  CHECK_FALSE(second->edge_waits(direction_kind::reading));
  CHECK_FALSE(second->short_reads_prove_nothing.load());
  deliver(name_of(*second), EPOLLIN);
  CHECK(second->edge_waits(direction_kind::reading));
  poller.unwatch(second, ends[0]);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a descriptor's number is used again and again, and no connection sees another's events", "[net][NET-68]") {
  on_each_poller([] {
    const hang_guard guard("numbers used again");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    wait_group all;
    for (int i = 0; i < 4; ++i)
      all.go([&l] {
        for (int k = 0; k < scaled(200) + 5; ++k) {
          auto c = net::dial("tcp", l.addr().to_string()).unwrap();
          wait_group reading;
          reading.go([c] {
            std::byte buf[64];
            const auto [n, err] = c.read(buf);
            FACT(err == errc::closed || n == 5);  // all that is sent here
          });
          if (k % 3 == 0) FACT(!c.write("ping!").err);
          if (k % 2) yield();
          FACT(!c.close());  // with its answer and the end on their way
          reading.wait();
        }
      });
    wait_group serving;
    serving.go([&] {
      while (auto r = l.accept())
        serving.go([c = r.value] {
          std::byte buf[64];
          if (auto got = c.read(buf)) (void)c.write({buf, got.value}).err;
        });
    });
    all.wait();
    FACT(!l.close());
    serving.wait();
  });
}

TEST_CASE("whoever polls beside the sleeper leaves it its wake-up", "[net]") {
  const hang_guard guard("a wake-up of the sleeper");
  static auto& poller = *new detail::epoll_poller;  // as the process's own it is never gone
  REQUIRE(poller.open() == 0);
  std::atomic<bool> over{false};
  std::atomic<int> woken{0};
  std::thread sleeper([&] {
    detail::ready_list none;
    while (!over) {
      poller.wait(detail::never, none);
      ++woken;
    }
  });
  std::thread beside([&] {
    detail::ready_list none;
    while (!over) poller.wait(0, none);
  });
  for (int i = 0; i < scaled(4000); ++i) {
    const int before = woken;
    std::this_thread::sleep_for(10us);  // it is asleep, most of the time
    poller.wake();
    while (woken == before) std::this_thread::yield();
  }
  over = true;
  poller.wake();
  sleeper.join();
  beside.join();
}
