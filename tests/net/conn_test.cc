#include "tests/net/any_stream.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <random>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("what one end writes the other reads", "[net][NET-33]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    std::byte buf[16];
    for (int i = 0; i < 100; ++i) {
      FACT(a.write("ping").value == 4);
      const auto [n, err] = b.read(buf);
      REQUIRE(!err);
      FACT(n == 4);
      FACT(b.write({buf, n}).value == 4);
      FACT(a.read(buf).value == 4);
    }
    FACT(a.local_addr() == b.remote_addr());
    FACT(a.remote_addr() == b.local_addr());
  });
}

TEST_CASE("what is done before a write has happened after the read", "[net]") {  // TSan reports it if not
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    int plain = 0;
    wait_group all;
    all.go([&, b = b] {
      std::byte buf[1];
      for (int i = 0; i < 100; ++i) {
        FACT(b.read(buf).value == 1);
        FACT(plain++ == 2 * i + 1);
        FACT(b.write("x").value == 1);
      }
    });
    std::byte buf[1];
    for (int i = 0; i < 100; ++i) {
      FACT(plain++ == 2 * i);
      FACT(a.write("x").value == 1);
      FACT(a.read(buf).value == 1);
    }
    all.wait();
  });
}

TEST_CASE("a megabyte arrives as it was sent, then the end", "[net][NET-32]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    std::string data(1 << 20, '\0');
    std::mt19937 random(1);
    for (char& c : data) c = static_cast<char>(random());
    wait_group all;
    all.go([&, a = a] {
      for (std::size_t at = 0; at < data.size(); at += 1024)
        FACT(a.write(std::string_view(data).substr(at, 1024)).value == 1024);
      FACT(!a.close());
    });
    FACT(read_up_to(b, data.size()) == data);
    std::byte one[1];
    FACT(b.read(one).err == errc::eof);
    all.wait();
  });
}

TEST_CASE("a write larger than all buffers waits for the reader", "[net][NET-65]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const std::string data(16 << 20, 'x');
    wait_group all;
    all.go([&, a = a] {
      const auto [n, err] = a.write(data);
      FACT(n == data.size());
      FACT(!err);
      a.close_write();
    });
    FACT(read_up_to(b, data.size()).size() == data.size());
    all.wait();
  });
}

TEST_CASE("an empty read returns at once", "[net][NET-10]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const auto [n, err] = a.read({});
    FACT(n == 0);
    FACT(!err);
  });
}

TEST_CASE("after close_write the peer reads to the end, and the own reads go on", "[net][NET-02]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    FACT(!a.write("last words").err);
    FACT(!a.close_write());
    FACT(read_up_to(b, 100) == "last words");
    FACT(a.write("more").err == std::errc::broken_pipe);
    FACT(!b.write("answer").err);
    FACT(!b.close());
    FACT(read_up_to(a, 100) == "answer");
  });
}

TEST_CASE("after close_read a read returns the end", "[net][NET-01]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    wait_group all;
    std::error_code waiting;
    all.go([&, a = a] {
      std::byte buf[8];
      waiting = a.read(buf).err;
    });
    sleep(2ms);
    FACT(!a.close_read());
    all.wait();
    FACT(waiting == errc::eof);
    std::byte buf[8];
    FACT(a.read(buf).err == errc::eof);
  });
}

TEST_CASE("operations on a closed connection say so", "[net][NET-03]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    FACT(!a.close());
    std::byte buf[8];
    FACT(a.read(buf).err == errc::closed);
    FACT(a.write("x").err == errc::closed);
    FACT(a.close_read() == errc::closed);
    FACT(a.close() == errc::closed);
    FACT(a.fd() == -1);
    FACT(!a);
    const net::conn none;
    FACT(none.read(buf).err == errc::closed);
    FACT(none.close() == errc::closed);
  });
}

TEST_CASE("close ends reads and writes that wait", "[net][NET-12][NET-21]") {
  on_each_poller([] {
    const hang_guard guard("close ends waits");
    auto [a, b] = tcp_pair();
    std::error_code reading, writing;
    wait_group all;
    all.go([&, a = a] {
      std::byte buf[8];
      reading = a.read(buf).err;
    });
    all.go([&, a = a] {
      const std::string much(64 << 20, 'x');
      writing = a.write(much).err;
    });
    sleep(5ms);
    FACT(!a.close());
    all.wait();
    FACT(reading == errc::closed);
    FACT(writing == errc::closed);
    FACT(reading != std::errc::timed_out);
  });
}

TEST_CASE("the peer's close ends a read", "[net][NET-13]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    wait_group all;
    std::error_code end;
    all.go([&, a = a] {
      std::byte buf[8];
      end = a.read(buf).err;
    });
    sleep(1ms);
    FACT(!b.close());
    all.wait();
    FACT(end == errc::eof);
  });
}

TEST_CASE("a reset is reported", "[net][NET-15]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(b.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    FACT(!b.close());
    std::byte buf[8];
    const std::error_code e = a.read(buf).err;
    FACT(e == std::errc::connection_reset);
    FACT(e != std::errc::timed_out);
  });
}

TEST_CASE("reads of several fibers queue, and close fails them all", "[net][NET-35]") {
  on_each_poller([] {
    const hang_guard guard("queued reads");
    auto [a, b] = tcp_pair();
    std::atomic<int> closed{0};
    wait_group all;
    for (int i = 0; i < 10; ++i)
      all.go([&, a = a] {
        std::byte buf[8];
        if (a.read(buf).err == errc::closed) ++closed;
      });
    sleep(2ms);
    FACT(!a.close());
    all.wait();
    FACT(closed == 10);
  });
}

TEST_CASE("reads of several fibers get each byte once", "[net][NET-35]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    constexpr int readers = 8, each = 50;
    std::atomic<int> got{0};
    wait_group all;
    for (int i = 0; i < readers; ++i)
      all.go([&, a = a] {
        std::byte one[1];
        for (int k = 0; k < each; ++k)
          if (a.read(one).value == 1) ++got;
      });
    for (int i = 0; i < readers * each; ++i) FACT(b.write("x").value == 1);
    all.wait();
    FACT(got == readers * each);
  });
}

TEST_CASE("a context ends a read and nothing is lost by it", "[net][NET-30]") {
  on_each_poller([] {
    const hang_guard guard("a context ends a read");
    const auto [a, b] = tcp_pair();
    check_context_ends_read(a, b);
  });
}

TEST_CASE("a cancel that meets the data loses none of it", "[net][NET-30]") {
  on_each_poller([] {
    const hang_guard guard("cancel against data");
    const auto [a, b] = tcp_pair();
    check_cancel_meets_data(a, b);
  });
}

TEST_CASE("the last handle closes", "[net]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    net::conn copy = a;
    a = {};
    FACT(!copy.write("x").err);
    copy = {};
    FACT(read_up_to(b, 10) == "x");
    std::byte buf[1];
    FACT(b.read(buf).err == errc::eof);
  });
}

TEST_CASE("many connections carry messages in both directions to the end", "[net][NET-62]") {
  on_each_poller([] {
    const hang_guard guard("streams under load");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    constexpr std::size_t size = 512;
    const int conns = scaled(100) + 5, messages = 20;
    wait_group all;
    all.go([&] {
      for (int i = 0; i < conns; ++i)
        all.go([&, c = l.accept().unwrap()] {
          std::byte buf[size];
          for (std::size_t n = 0;;) {
            auto r = c.read(std::span(buf).subspan(n));
            if (r.err) break;
            n += r.value;
            if (n < size) continue;
            n = 0;
            FACT(c.write(buf).value == size);
          }
        });
    });
    for (int i = 0; i < conns; ++i)
      all.go([&, i] {
        auto c = net::dial("tcp", l.addr().to_string()).unwrap();
        const std::string message(size, static_cast<char>('a' + i % 26));
        wait_group writing;
        writing.go([&] {
          for (int k = 0; k < messages; ++k) FACT(c.write(message).value == size);
          FACT(!c.close_write());
        });
        const std::string got = read_up_to(c, size * messages + 1);
        FACT(got.size() == size * messages);
        FACT(got.find_first_not_of(message[0]) == std::string::npos);
        writing.wait();
      });
    all.wait();
  });
}

TEST_CASE("lengths beyond what a system call takes are no lengths beyond what a connection takes", "[net][NET-62]") {
  if (sanitized) {
    WARN("gigabytes take too long under a sanitizer");
    return;
  }
  // Memory that is never touched but by what a socket's buffer holds.
  constexpr std::size_t size = (std::size_t{1} << 32) + (1 << 20);
  void* const from = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void* const to = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(from != MAP_FAILED);
  REQUIRE(to != MAP_FAILED);
  for (const poller_kind kind : {poller_kind::io_uring, poller_kind::epoll}) {
    CAPTURE(name_of(kind));
    in_world(options{.maxprocs = 2, .poller = kind}, [&] {
      const hang_guard guard("gigabytes");
      auto [a, b] = tcp_pair();
      wait_group all;
      all.go([&, a = a] {
        FACT(a.write({static_cast<const std::byte*>(from), size}).value == size);
        FACT(!a.close());
      });
      std::size_t total = 0;
      while (auto r = b.read({static_cast<std::byte*>(to), size})) total += r.value;
      FACT(total == size);
      all.wait();
    });
    report_broken_fact();
  }
  munmap(from, size);
  munmap(to, size);
}
