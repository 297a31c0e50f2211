#include "tests/net/on_each_poller.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "net/fd/requests.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a name with two families reaches the one that listens", "[net][NET-42]") {
  on_each_poller([] {
    const hang_guard guard("happy eyeballs");
    for (const char* at : {"127.0.0.1:0", "[::1]:0"}) {
      auto made = net::listen("tcp", at);
      if (made.err) continue;  // no IPv6 here
      auto l = std::move(made).unwrap();
      net::dialer d;
      for (duration delay : {300ms, 1ms, -1ms}) {
        d.fallback_delay = delay;
        auto c = d.dial("tcp", "localhost:" + std::to_string(l.addr().port()));
        // If the name has the one address only, the other cannot be reached by it.
        if (c.err) {
          FACT(c.err == std::errc::connection_refused);
          continue;
        }
        FACT(c.value.remote_addr() == l.addr());
        FACT(!l.accept().err);
      }
    }
  });
}

TEST_CASE("a dialer binds its own address first", "[net][NET-46]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    net::dialer d;
    d.local = "127.0.0.2:0";
    auto c = d.dial("tcp", l.addr().to_string()).unwrap();
    FACT(c.local_addr().host() == "127.0.0.2");
    FACT(l.accept().unwrap().remote_addr().host() == "127.0.0.2");
    d.local = "[::1]:0";
    FACT(d.dial("tcp", l.addr().to_string()).err == net::errc::no_address);
  });
}

TEST_CASE("the limit of a dial does not stay with the connection", "[net][NET-36]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto c = net::dial_timeout("tcp", l.addr().to_string(), 500ms).unwrap();
    auto served = l.accept().unwrap();
    const auto until = weft::now() + 2ms;
    c.set_read_deadline(until);
    std::byte buf[1];
    FACT(c.read(buf).err == errc::timeout);
    FACT(!c.write("x").err);
    FACT(net::dial_timeout("tcp", l.addr().to_string(), duration::max()).err == std::error_code());
  });
}

TEST_CASE("a connection that is reported is connected", "[net][NET-47]") {
  on_each_poller([] {
    const hang_guard guard("connected at once");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    wait_group serving, dialing;
    serving.go([l] {
      while (auto r = l.accept())
        go([c = r.value] {
          std::byte buf[8];
          if (auto got = c.read(buf)) (void)c.write({buf, got.value}).err;
        });
    });
    for (int i = 0; i < scaled(200) + 10; ++i)
      dialing.go([&, i] {
        auto [ctx, cancel] = with_timeout(background(), i % 2 ? duration(1h) : duration(i * 10us));
        auto [c, err] = net::dial(ctx, "tcp", l.addr().to_string());
        if (err) {
          FACT(i % 2 == 0);
          FACT(err == errc::deadline_exceeded);
          return;
        }
        FACT(c.remote_addr() == l.addr());
        FACT(c.write("x").value == 1);
        std::byte buf[8];
        FACT(c.read(buf).value == 1);
      });
    dialing.wait();
    FACT(!l.close());
    serving.wait();
  });
}

TEST_CASE("a wake-up before the connection is there is no connection", "[net][NET-47]") {
  // A listener whose queue is full drops what comes: the next stays on its way.
  const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(s, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(listen(s, 0) == 0);
  socklen_t n = sizeof at;
  getsockname(s, reinterpret_cast<sockaddr*>(&at), &n);
  std::vector<net::unique_fd> filling;
  bool under_way = false;
  for (int i = 0; i < 8 && !under_way; ++i) {
    filling.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    detail::connect_to rq(filling.back().get(), reinterpret_cast<sockaddr*>(&at), n);
    CHECK(rq.attempt() == -EAGAIN);
    pollfd p{filling.back().get(), POLLOUT, 0};
    under_way = poll(&p, 1, 20) == 0;
    CHECK(rq.attempt() == (under_way ? -EAGAIN : 0));
  }
  CHECK(under_way);
  close(s);
}

TEST_CASE("a context without a deadline limits no dial, whatever its parent had", "[net][NET-41]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto [limited, cancel] = with_deadline(background(), weft::now() - 1s);
    FACT(net::dial(limited, "tcp", l.addr().to_string()).err == errc::deadline_exceeded);
    const context free = without_cancel(limited);
    FACT(!free.deadline());
    FACT(!net::dial(free, "tcp", l.addr().to_string()).err);
  });
}

TEST_CASE("a dial waits for room in the queue of a listener in the Unix domain", "[net]") {
  on_each_poller([] {
    const hang_guard guard("a full queue");
    const std::string place = "@weft-full-queue-" + std::to_string(getpid());
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    place.copy(a.sun_path, sizeof a.sun_path - 1);
    a.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + place.size());
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FACT(bind(listening, reinterpret_cast<const sockaddr*>(&a), length) == 0);
    FACT(listen(listening, 0) == 0);
    const auto first = net::dial("unix", place);
    FACT(!first.err);
    FACT(net::dial_timeout("unix", place, 20ms).err == errc::timeout);
    auto [ctx, cancel] = with_timeout(background(), 20ms);
    FACT(net::dial(ctx, "unix", place).err == errc::deadline_exceeded);
    bool connected = false;
    wait_group waits;
    waits.go([&] { connected = !net::dial("unix", place).err; });
    sleep(5ms);
    FACT(!connected);
    close(accept(listening, nullptr, nullptr));
    waits.wait();
    FACT(connected);
    close(listening);
  });
}
