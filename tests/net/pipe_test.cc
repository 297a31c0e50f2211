// Connections in memory: the facts of connections, and their own facts.
#include <weft/pipe.h>

#include "tests/net/any_stream.h"

#include <random>
#include <thread>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// They know no poller.
template <class F>
void on_each_width(F f) {
  in_world(GENERATE(1, 2, 4, 16), f);
  report_broken_fact();
}

std::string read_to_end(const net::pipe_conn& c) {
  std::string all;
  std::vector<std::byte> buf(777);
  while (auto r = c.read(buf)) all.append(reinterpret_cast<const char*>(buf.data()), r.value);
  return all;
}

}  // namespace

TEST_CASE("a megabyte goes through a pipe in memory as it was sent, then the end", "[net][pipe][NET-66][NET-32]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, a megabyte");
    auto [a, b] = net::pipe();
    std::string data(1 << 20, '\0');
    std::mt19937 random(1);
    for (char& c : data) c = static_cast<char>(random());
    wait_group all;
    all.go([&, a = a] {
      for (std::size_t at = 0; at < data.size(); at += 1024)
        FACT(a.write(std::string_view(data).substr(at, 1024)).value == 1024);
      FACT(!a.close());
    });
    FACT(read_to_end(b) == data);
    std::byte one[1];
    FACT(b.read(one).err == errc::eof);
    all.wait();
  });
}

TEST_CASE("two ends of a pipe in memory answer each other", "[net][pipe][NET-66][NET-33]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, ping-pong");
    auto [a, b] = net::pipe();
    wait_group all;
    all.go([b = b] {
      std::byte buf[8];
      for (;;) {
        const auto [n, err] = b.read(buf);
        if (err || b.write({buf, n}).err) return;
      }
    });
    std::byte buf[8];
    for (int i = 0; i < 200; ++i) {
      FACT(a.write("ping").value == 4);
      FACT(a.read(buf).value == 4);
    }
    FACT(!a.close());
    all.wait();
  });
}

TEST_CASE("a write to a pipe in memory returns when all has been read, and not before", "[net][pipe][NET-66]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, synchronous");
    auto [a, b] = net::pipe();
    std::atomic<bool> written{false};
    wait_group all;
    all.go([&, a = a] {
      FACT(a.write("abc").value == 3);
      written = true;
    });
    std::byte one[1];
    for (int i = 0; i < 3; ++i) {
      sleep(1ms);
      FACT(!written);
      FACT(b.read(one).value == 1);
    }
    all.wait();
    FACT(written);
    FACT(a.write("").value == 0);
    FACT(b.read({}).value == 0);
  });
}

TEST_CASE("what is closed at one end of a pipe in memory is seen at both", "[net][pipe][NET-66][NET-03]") {
  on_each_width([] {
    auto [a, b] = net::pipe();
    FACT(!a.close());
    std::byte buf[8];
    FACT(a.read(buf).err == errc::closed);
    FACT(a.write("x").err == errc::closed);
    FACT(b.read(buf).err == errc::eof);
    FACT(b.write("x").err == errc::closed);
    FACT(a.close() == errc::closed);
    FACT(!a);
    FACT(b);
    FACT(!b.close());
    FACT(b.read(buf).err == errc::closed);
    const net::pipe_conn none;
    FACT(none.read(buf).err == errc::closed);
    FACT(none.close() == errc::closed);
  });
}

TEST_CASE("close ends whoever waits at either end of a pipe in memory", "[net][pipe][NET-66][NET-12][NET-13][NET-21]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, close");
    for (const bool own : {true, false})
      for (const bool reads : {true, false}) {
        auto [a, b] = net::pipe();
        wait_group all;
        all.go([=, a = a] {
          std::byte buf[8];
          const std::error_code e = reads ? a.read(buf).err : a.write("x").err;
          FACT(e == (reads && !own ? errc::eof : errc::closed));
          FACT(e != std::errc::timed_out);
        });
        sleep(1ms);
        FACT(!(own ? a : b).close());
        all.wait();
      }
  });
}

TEST_CASE("the last handle closes its end of a pipe in memory", "[net][pipe][NET-66]") {
  on_each_width([] {
    auto [a, b] = net::pipe();
    net::pipe_conn copy = a;
    a = {};
    wait_group all;
    all.go([copy = std::move(copy)]() mutable { FACT(copy.write("x").value == 1); });
    FACT(read_to_end(b) == "x");
    all.wait();
  });
}

TEST_CASE("a passed deadline of a pipe in memory wins over data, and a new one restores all",
          "[net][pipe][NET-66][NET-16][NET-17][NET-20][NET-22][NET-23]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, passed deadlines");
    auto [a, b] = net::pipe();
    wait_group all;
    all.go([b = b] { FACT(b.write("data").value == 4); });
    sleep(1ms);
    std::byte buf[8];
    a.set_read_deadline(weft::now() - 1s);
    FACT(a.read(buf).err == errc::timeout);
    FACT(a.read(buf).err == std::errc::timed_out);
    a.set_read_deadline();
    FACT(a.read(buf).value == 4);
    all.wait();
    a.set_write_deadline(weft::now() - 1s);
    all.go([a = a] {
      std::byte own[8];
      FACT(a.read(own).value == 1);  // reads have their own deadline
    });
    FACT(a.write("x").err == errc::timeout);
    FACT(b.write("y").value == 1);
    all.wait();
    a.set_deadline();
    all.go([b = b] {
      std::byte own[8];
      FACT(b.read(own).value == 1);
    });
    FACT(a.write("x").value == 1);
    all.wait();
  });
}

TEST_CASE("deadlines end reads and writes of a pipe in memory that wait",
          "[net][pipe][NET-66][NET-11][NET-25][NET-26]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, deadlines");
    auto [a, b] = net::pipe();
    std::byte buf[8];
    for (const duration d : {duration(1us), duration(100us), duration(2ms)}) {
      const auto until = weft::now() + d;
      a.set_deadline(until);
      FACT(a.read(buf).err == errc::timeout);
      FACT(weft::now() >= until);
      FACT(a.write("x").err == errc::timeout);
    }
    a.set_deadline();
    wait_group all;
    all.go([a = a] {
      std::byte own[8];
      FACT(a.read(own).err == errc::timeout);
    });
    all.go([a = a] { FACT(a.write("x").err == errc::timeout); });
    sleep(1ms);
    a.set_deadline(weft::now() - 1s);
    all.wait();
    a.set_deadline(weft::now() + 1h);  // moved nearer during a wait
    all.go([a = a] {
      std::byte own[8];
      FACT(a.read(own).err == errc::timeout);
    });
    sleep(1ms);
    a.set_deadline(std::chrono::system_clock::now() + 2ms);
    all.wait();
  });
}

TEST_CASE("a write to a pipe in memory that is cut short says how much was read", "[net][pipe][NET-66]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, short write");
    auto [a, b] = net::pipe();
    wait_group all;
    auto [ctx, cancel] = with_cancel(background());
    all.go([a = a, ctx = ctx] {
      const auto [n, err] = a.write(ctx, bytes("abcdef"));
      FACT(n == 2);
      FACT(err == errc::canceled);
    });
    std::byte two[2];
    FACT(b.read(two).value == 2);
    cancel();
    all.wait();
    all.go([a = a] { FACT(a.write("gh").value == 2); });
    FACT(b.read(two).value == 2);
    FACT(two[0] == std::byte{'g'});  // and nothing of the rest
    all.wait();
  });
}

TEST_CASE("a context ends a read of a pipe in memory and nothing is lost by it", "[net][pipe][NET-66][NET-30]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, context against data");
    const auto [a, b] = net::pipe();
    check_context_ends_read(a, b);
    check_cancel_meets_data(a, b);
  });
}

TEST_CASE("writes of several to a pipe in memory are not mixed, and reads of several get each byte once",
          "[net][pipe][NET-66][NET-35]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, several");
    auto [a, b] = net::pipe();
    constexpr std::size_t writers = 4, readers = 3, size = 5000;
    wait_group writing, reading;
    std::atomic<std::size_t> total{0};
    for (std::size_t i = 0; i < writers; ++i)
      writing.go([i, a = a] { FACT(a.write(std::string(size, static_cast<char>('a' + i))).value == size); });
    for (std::size_t i = 0; i < readers; ++i)
      reading.go([&, b = b] {
        std::byte buf[64];
        while (auto r = b.read(buf)) {
          for (std::size_t k = 1; k < r.value; ++k) FACT(buf[k] == buf[0]);
          total += r.value;
        }
      });
    writing.wait();
    FACT(!a.close());
    reading.wait();
    FACT(total == writers * size);
  });
}

TEST_CASE("everything at once at a pipe in memory", "[net][pipe][NET-66][NET-31]") {
  on_each_width([] {
    const hang_guard guard("memory pipe, everything at once");
    auto [a, b] = net::pipe();
    wait_group all;
    for (const net::pipe_conn& c : {a, b})
      for (int i = 0; i < 3; ++i) {
        all.go([c] {
          std::byte buf[8];
          for (int k = 0; k < scaled(100) + 5; ++k) (void)c.read(buf).err;
        });
        all.go([c] {
          for (int k = 0; k < scaled(100) + 5; ++k) (void)c.write("12345").err;
        });
        all.go([c] {
          for (int k = 0; k < scaled(100) + 5; ++k) {
            c.set_deadline(weft::now() + 50us);
            c.set_read_deadline(weft::now() + 20us);
            yield();
          }
          c.set_deadline(weft::now());
        });
      }
    all.wait();
  });
}

TEST_CASE("plain threads use a pipe in memory, with and without a world", "[net][pipe][NET-66]") {
  const auto talk = [] {
    const hang_guard guard("memory pipe, plain threads");
    auto [a, b] = net::pipe();
    std::thread other([b = b] {
      std::byte buf[4];
      for (;;) {
        const auto [n, err] = b.read(buf);
        if (err || b.write({buf, n}).err) return;
      }
    });
    std::byte buf[4];
    for (int i = 0; i < 50; ++i) {
      FACT(a.write("ping").value == 4);
      FACT(a.read(buf).value == 4);
    }
    a.set_read_deadline(weft::now() + 2ms);
    FACT(a.read(buf).err == errc::timeout);
    FACT(!a.close());
    other.join();
  };
  SECTION("without") {
    talk();
    report_broken_fact();
  }
  SECTION("beside one") {
    on_each_width([&] { blocking(talk); });
  }
  SECTION("a fiber at the other end") {
    on_each_width([] {
      auto [a, b] = net::pipe();
      std::thread other([b = b] { FACT(read_to_end(b) == "from a fiber"); });
      FACT(a.write("from a fiber").value == 12);
      FACT(!a.close());
      blocking([&] { other.join(); });
    });
  }
}
