// System calls of the caller's own on a socket of weft's.
#include "tests/net/on_each_poller.h"

#include <sys/socket.h>

#include <cerrno>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// As a library would: a call, and whether it had to be tried again later.
struct peeked {
  char text[8]{};
  ssize_t n = -1;
  int calls = 0;
  bool operator()(int fd) {
    ++calls;
    n = recv(fd, text, sizeof text, MSG_DONTWAIT);
    return n >= 0 || errno != EAGAIN;
  }
};

}  // namespace

TEST_CASE("a raw read is called again until it is done", "[net][NET-67]") {
  on_each_poller([] {
    const hang_guard guard("raw read");
    auto [a, b] = tcp_pair();
    peeked p;
    wait_group all;
    all.go([&, a = a] { FACT(!a.raw_read(p)); });
    sleep(2ms);
    FACT(!b.write("x").err);
    all.wait();
    FACT(p.n == 1);
    FACT(p.calls >= 2);
    FACT(!b.write("y").err);
    std::byte buf[8];
    FACT(a.read(buf).value == 1);  // after which there is nothing, as far as the poller has learned
    FACT(!b.write("z").err);
    peeked again;
    FACT(!a.raw_read(again));
    FACT(again.n == 1);
    peeked end;
    FACT(!b.close());
    FACT(!a.raw_read(end));
    FACT(end.n == 0);
  });
}

TEST_CASE("a raw write is called again until there is room", "[net][NET-67]") {
  on_each_poller([] {
    const hang_guard guard("raw write");
    auto [a, b] = tcp_pair();
    const std::string much(1 << 20, 'x');
    std::size_t sent = 0, want = 16 << 20;
    wait_group all;
    all.go([&, a = a] {
      FACT(!a.raw_write([&](int fd) {
        for (;;) {
          const ssize_t n = send(fd, much.data(), std::min(much.size(), want - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
          if (n < 0) return errno != EAGAIN;
          sent += static_cast<std::size_t>(n);
          if (sent == want) return true;
        }
      }));
      a.close();
    });
    FACT(read_up_to(b, want + 1).size() == want);
    all.wait();
    FACT(sent == want);
  });
}

TEST_CASE("raw control is called at once, with the number", "[net][NET-67]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    int seen = -1;
    FACT(!a.raw_control([&](int fd) { seen = fd; }));
    FACT(seen == a.fd());
    wait_group all;
    all.go([a = a] {  // a read under way holds nothing up
      std::byte buf[1];
      FACT(a.read(buf).err == errc::closed);
    });
    sleep(1ms);
    seen = -1;
    FACT(!a.raw_control([&](int fd) { seen = fd; }));
    FACT(seen == a.fd());
    FACT(!a.close());
    all.wait();
  });
}

TEST_CASE("raw calls end by close, deadlines and contexts, and are not made after that", "[net][NET-67]") {
  on_each_poller([] {
    const hang_guard guard("raw calls end");
    auto [a, b] = tcp_pair();
    int calls = 0;
    const auto never_done = [&](int) {
      ++calls;
      return false;
    };
    std::atomic<bool> called{false};
    wait_group waiting;
    waiting.go([&, a = a] {
      FACT(a.raw_read([&](int) {
        called = true;
        return false;
      }) == errc::timeout);
    });
    while (!called) sleep(1ms);
    a.set_read_deadline(weft::now() + 2ms);
    waiting.wait();
    calls = 0;
    FACT(a.raw_read(never_done) == errc::timeout);
    FACT(calls == 0);
    a.set_read_deadline();
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(a.raw_read(ctx, never_done) == errc::deadline_exceeded);
    calls = 0;
    FACT(a.raw_write(ctx, never_done) == errc::deadline_exceeded);
    FACT(calls == 0);
    wait_group all;
    all.go([&, a = a] { FACT(a.raw_read(never_done) == errc::closed); });
    sleep(1ms);
    FACT(!a.close());
    all.wait();
    calls = 0;
    FACT(a.raw_read(never_done) == errc::closed);
    FACT(a.raw_write(never_done) == errc::closed);
    FACT(a.raw_control([&](int) { ++calls; }) == errc::closed);
    FACT(calls == 0);
  });
}

TEST_CASE("an exception leaves a raw call, and the socket goes on", "[net][NET-67]") {
  on_each_poller([] {
    const hang_guard guard("raw exception");
    auto [a, b] = tcp_pair();
    int calls = 0;
    bool caught = false;
    wait_group all;
    all.go([&, a = a] {
      try {
        (void)a.raw_read([&](int) -> bool {
          if (++calls == 2) throw 7;
          return false;
        });
      } catch (int) {
        caught = true;
      }
    });
    sleep(1ms);
    FACT(!b.write("x").err);
    all.wait();
    FACT(caught);
    std::byte buf[1];
    FACT(a.read(buf).value == 1);
  });
}
