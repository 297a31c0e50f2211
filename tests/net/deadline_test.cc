#include "tests/net/on_each_poller.h"

#include <thread>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

const time_point long_ago = time_point(duration(1));

}  // namespace

TEST_CASE("a read deadline in the past ends a read that waits", "[net][NET-11]") {
  on_each_poller([] {
    const hang_guard guard("a deadline in the past");
    auto [a, b] = tcp_pair();
    wait_group all;
    std::error_code e;
    all.go([&, a = a] {
      std::byte buf[8];
      e = a.read(buf).err;
    });
    sleep(2ms);
    a.set_read_deadline(long_ago);
    all.wait();
    FACT(e == errc::timeout);
    FACT(e == std::errc::timed_out);
  });
}

TEST_CASE("a read deadline in the past beats data that is there", "[net][NET-16][NET-23]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    FACT(!b.write("data").err);
    sleep(1ms);
    a.set_read_deadline(long_ago);
    std::byte buf[8];
    for (int i = 0; i < 3; ++i) {
      const auto [n, err] = a.read(buf);
      FACT(n == 0);
      FACT(err == errc::timeout);
    }
    a.set_read_deadline();
    FACT(a.read(buf).value == 4);
  });
}

TEST_CASE("a write deadline in the past beats room in the buffer", "[net][NET-17][NET-22]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    a.set_write_deadline(long_ago);
    const auto [n, err] = a.write("data");
    FACT(n == 0);
    FACT(err == errc::timeout);
    FACT(!b.write("data").err);
    std::byte buf[8];
    FACT(a.read(buf).value == 4);  // the other half is not affected
    a.set_write_deadline();
    FACT(a.write("data").value == 4);
  });
}

TEST_CASE("a deadline in the future ends a read and a write", "[net][NET-25]") {
  on_each_poller([] {
    const hang_guard guard("a deadline in the future");
    auto [a, b] = tcp_pair();
    const auto began = weft::now();
    a.set_deadline(began + 5ms);
    wait_group all;
    all.go([&, a = a] {
      std::byte buf[8];
      FACT(a.read(buf).err == errc::timeout);
    });
    all.go([&, a = a] {
      const std::string much(64 << 20, 'x');
      const auto [n, err] = a.write(much);
      FACT(err == errc::timeout);
      FACT(n < much.size());
    });
    all.wait();
    FACT(weft::now() - began >= 5ms);
    a.set_deadline();
    FACT(!b.write("again").err);
    std::byte buf[8];
    FACT(a.read(buf).value == 5);
  });
}

TEST_CASE("a deadline that is taken back does not end a read", "[net][NET-20]") {
  on_each_poller([] {
    const hang_guard guard("no deadline");
    auto [a, b] = tcp_pair();
    a.set_read_deadline(weft::now() + 5ms);
    std::byte buf[8];
    FACT(a.read(buf).err == errc::timeout);
    a.set_read_deadline();
    a.set_write_deadline(long_ago);
    wait_group all;
    std::error_code e;
    std::atomic<bool> over{false};
    all.go([&, a = a] {
      e = a.read(buf).err;
      over = true;
    });
    sleep(15ms);
    FACT(!over);
    FACT(!a.close());
    all.wait();
    FACT(e == errc::closed);
  });
}

TEST_CASE("deadlines from a nanosecond to a second time out", "[net][NET-26]") {
  on_each_poller([] {
    const hang_guard guard("various deadlines");
    wait_group all;
    for (duration d : {1ns, 2ns, 5ns, 50ns, 100ns, 200ns, 500ns, 750ns})
      all.go([d] {
        auto [a, b] = tcp_pair();
        a.set_deadline(weft::now() + d);
        std::byte buf[8];
        FACT(a.read(buf).err == errc::timeout);
      });
    for (duration d : {1us, 5us, 25us, 250us, 500us}) {
      all.go([d] {
        auto [a, b] = tcp_pair();
        a.set_deadline(weft::now() + d);
        std::byte buf[8];
        FACT(a.read(buf).err == errc::timeout);
      });
    }
    for (duration d : {1ms, 5ms, 100ms, 250ms})
      all.go([d] {
        auto [a, b] = tcp_pair();
        const auto until = weft::now() + d;
        a.set_deadline(until);
        std::byte buf[8];
        FACT(a.read(buf).err == errc::timeout);
        FACT(weft::now() >= until);
      });
    all.wait();
  });
}

TEST_CASE("a deadline that is always moved on times nothing out", "[net][NET-27]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const int rounds = scaled(1000);
    wait_group all;
    all.go([&, b = b] {
      std::byte one[1];
      for (int i = 0; i < rounds; ++i) {
        b.set_deadline(weft::now() + 1h);
        FACT(b.read(one).value == 1);
        b.set_write_deadline(weft::now() + 1h);
        FACT(!b.write(one).err);
      }
    });
    std::byte one[1]{};
    for (int i = 0; i < rounds; ++i) {
      a.set_deadline(weft::now() + 1h);
      REQUIRE(!a.write(one).err);
      a.set_read_deadline(weft::now() + 1h);
      REQUIRE(a.read(one).value == 1);
    }
    all.wait();
  });
}

TEST_CASE("deadlines set again and again under a reader and a writer lose no wake-up", "[net][NET-28]") {
  on_each_poller([] {
    const hang_guard guard("deadline race");
    auto [a, b] = tcp_pair();
    std::atomic<bool> over{false};
    wait_group all;
    all.go([&, a = a] {
      for (int i = 0; i < scaled(2000); ++i) {
        a.set_deadline(weft::now() + 2us);
        if (i % 16 == 0) yield();
      }
      over = true;
      a.set_deadline(long_ago);
    });
    all.go([&, a = a] {
      std::byte buf[8];
      for (; !over; yield()) {
        const std::error_code e = a.read(buf).err;
        FACT(e == errc::timeout || (over && e == errc::closed));
      }
    });
    all.go([&, a = a] {
      for (; !over; yield()) (void)a.write("x").err;
    });
    all.go([&, b = b] {
      std::byte buf[4096];
      while (b.read(buf)) {
      }
    });
    while (!over) sleep(1ms);
    a.close();
    all.wait();
  });
}

TEST_CASE("a deadline ends an accept, also when a connection is there", "[net][NET-18]") {
  on_each_poller([] {
    const hang_guard guard("accept deadline");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    l.set_deadline(weft::now() + 2ms);
    FACT(l.accept().err == errc::timeout);
    auto c = net::dial("tcp", l.addr().to_string()).unwrap();
    FACT(l.accept().err == errc::timeout);
    l.set_deadline();
    FACT(!l.accept().err);
  });
}

TEST_CASE("a deadline at the end of time is none", "[net][NET-37]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    a.set_deadline(time_point::max() - 1ns);
    a.set_read_deadline(std::chrono::system_clock::time_point::max());
    FACT(!b.write("x").err);
    std::byte buf[8];
    FACT(a.read(buf).value == 1);
  });
}

TEST_CASE("many fibers use all of a connection at once", "[net][NET-31]") {
  on_each_poller([] {
    const hang_guard guard("concurrent methods");
    auto [a, b] = tcp_pair();
    wait_group all;
    all.go([b = b] {
      std::byte buf[1024];
      for (;;) {
        const auto [n, err] = b.read(buf);
        if (err || b.write({buf, n}).err) return;
      }
    });
    wait_group users;
    for (int i = 0; i < scaled(100) + 5; ++i) {
      users.go([a = a] { (void)a.write("x").err; });
      users.go([a = a] {
        std::byte buf[1];
        (void)a.read(buf).err;
      });
      users.go([a = a] { a.set_deadline(weft::now() + 10ms); });
      users.go([a = a] { a.set_read_deadline(weft::now() + 10ms); });
      users.go([a = a] { a.set_write_deadline(weft::now() + 10ms); });
      users.go([a = a] { FACT(a.local_addr().port() != a.remote_addr().port()); });
    }
    users.wait();
    a.set_deadline();
    a.close();
    all.wait();
  });
}
