// Plain threads, and descriptors that are not ours.
#include "tests/net/on_each_poller.h"

#include <sys/socket.h>
#include <unistd.h>

#include <thread>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("plain threads use connections, with and without a world", "[net]") {
  const auto talk = [] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    std::thread server([l] {
      auto c = l.accept().unwrap();
      std::byte buf[64];
      for (;;) {
        const auto [n, err] = c.read(buf);
        if (err || c.write({buf, n}).err) return;
      }
    });
    {
      auto c = net::dial("tcp", l.addr().to_string()).unwrap();
      for (int i = 0; i < 20; ++i) {
        FACT(!c.write("ping").err);
        FACT(read_up_to(c, 4) == "ping");
      }
      c.set_read_deadline(weft::now() + 2ms);
      std::byte buf[1];
      FACT(c.read(buf).err == errc::timeout);
    }
    server.join();
  };
  SECTION("without") {
    talk();
    report_broken_fact();
  }
  SECTION("a thread on each side of a world") {
    on_each_poller([&] { blocking(talk); });
  }
}

TEST_CASE("close and a deadline end the wait of a plain thread", "[net][NET-12]") {
  on_each_poller([] {
    const hang_guard guard("plain thread waits");
    auto [a, b] = tcp_pair();
    std::error_code first, second, third;
    std::atomic<int> step{0};
    std::thread t([&, a = a] {
      std::byte buf[1];
      first = a.read(buf).err;
      step = 1;
      while (step != 2) std::this_thread::sleep_for(100us);
      auto [ctx, cancel] = with_timeout(background(), 3ms);
      third = a.read(ctx, buf).err;
      step = 3;
      second = a.read(buf).err;
    });
    sleep(3ms);
    a.set_read_deadline(weft::now());
    while (step != 1) sleep(1ms);
    a.set_read_deadline();
    step = 2;
    while (step != 3) sleep(1ms);
    sleep(2ms);
    FACT(!a.close());
    blocking([&] { t.join(); });
    FACT(first == errc::timeout);
    FACT(third == errc::deadline_exceeded);
    FACT(second == errc::closed);
  });
}

TEST_CASE("a descriptor of somebody else is waited for", "[net]") {
  on_each_poller([] {
    const hang_guard guard("foreign descriptor");
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    FACT(!net::wait_writable(ends[1]));
    wait_group all;
    std::atomic<int> woken{0};
    for (int i = 0; i < 3; ++i)
      all.go([&] {
        if (!net::wait_readable(ends[0])) ++woken;
      });
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(net::wait_readable(ctx, ends[0]) == errc::deadline_exceeded);
    FACT(woken == 0);
    FACT(write(ends[1], "x", 1) == 1);
    all.wait();
    FACT(woken == 3);
    FACT(!net::wait_readable(ends[0]));
    close(ends[0]);
    FACT(!net::wait_writable(ends[1]));  // broken is ready
    close(ends[1]);
    FACT(net::wait_readable(1 << 24));  // open nowhere; the numbers above may be another file's again
  });
}

TEST_CASE("a fiber that hogs its P does not hold up the others' connections", "[net]") {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  options o;
  o.maxprocs = 2;
  o.poller = kind;
  run(o, [] {
    auto [a, b] = tcp_pair();
    std::atomic<bool> over{false};
    wait_group all;
    all.go([&] {
      const hang_guard guard("a hog beside a ping-pong");
      std::byte one[1]{};
      for (int i = 0; i < 20; ++i) {
        FACT(!a.write(one).err);
        FACT(!b.read(one).err);
      }
      over = true;
    });
    yield();
    while (!over) {
    }
    all.wait();
  });
  report_broken_fact();
}

TEST_CASE("a blocking call leaves no connection unwatched", "[net]") {
  on_each_poller([] {
    const hang_guard guard("a blocking call beside a connection");
    auto [a, b] = tcp_pair();
    std::atomic<bool> served{false};
    wait_group all;
    all.go([&] {
      std::byte one[1];
      FACT(a.read(one).value == 1);
      served = true;
    });
    yield();
    blocking([&] {
      FACT(write(b.fd(), "x", 1) == 1);
      for (int i = 0; i < 10'000 && !served; ++i) std::this_thread::sleep_for(1ms);
    });
    FACT(served);
    all.wait();
  });
}

TEST_CASE("what a fiber waits for outlives the thread that asked for it", "[net]") {
  on_each_poller([] {
    const hang_guard guard("the asking thread ends");
    for (int i = 0; i < 5; ++i) {
      auto [a, b] = tcp_pair();
      wait_group all;
      // Locked to its thread, and with it the thread that submits what others have batched on its
      // P.
      all.go([&] {
        lock_os_thread();
        for (int k = 0; k < 3; ++k) sleep(100us);
      });  // ends with its thread
      for (int k = 0; k < 4; ++k)
        all.go([&] {
          std::byte one[1];
          FACT(a.read(one).value == 1);
        });
      sleep(3ms);
      FACT(!b.write("four").err);
      all.wait();
    }
  });
}
