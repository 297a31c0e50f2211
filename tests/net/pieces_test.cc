#include "tests/net/on_each_poller.h"
#include "tests/support/temp_tree.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("pieces arrive in order, however many", "[net][NET-63]") {
  on_each_poller([] {
    for (std::size_t count : {0u, 1u, 2u, 100u, 3000u}) {
      auto [a, b] = tcp_pair();
      std::vector<std::string> texts;
      std::vector<std::span<const std::byte>> pieces;
      std::string all;
      for (std::size_t i = 0; i < count; ++i) texts.push_back(std::string(i % 37, static_cast<char>('a' + i % 26)));
      for (const std::string& t : texts) {
        pieces.push_back(bytes(t));
        all += t;
      }
      wait_group done;
      done.go([&, a = a] {
        const auto [n, err] = a.write_v(pieces);
        FACT(!err);
        FACT(n == all.size());
        a.close();
      });
      FACT(read_up_to(b, all.size() + 1) == all);
      done.wait();
    }
  });
}

TEST_CASE("pieces stop where the deadline finds them", "[net][NET-63]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const std::string much(32 << 20, 'x');
    const std::span<const std::byte> pieces[] = {bytes(much), bytes(much)};
    a.set_write_deadline(weft::now() + 5ms);
    const auto [n, err] = a.write_v(pieces);
    FACT(err == errc::timeout);
    FACT(n < 2 * much.size());
  });
}

TEST_CASE("a file is sent without a copy", "[net]") {
  temp_tree tree;
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += static_cast<char>('a' + i % 26);
  tree.file("/file", text);
  on_each_poller([&] {
    auto [a, b] = tcp_pair();
    const int file = open((tree.root() + "/file").c_str(), O_RDONLY | O_CLOEXEC);
    wait_group done;
    done.go([&, a = a] {
      const auto [n, err] = a.send_file(file, 10, 1 << 30);
      FACT(!err);
      FACT(n == text.size() - 10);
      a.close();
    });
    FACT(read_up_to(b, text.size()) == text.substr(10));
    done.wait();
    close(file);
  });
}

TEST_CASE("options are set, and connections probe by default", "[net][NET-48]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const auto option = [](const net::conn& c, int level, int name) {
      int value = 0;
      socklen_t n = sizeof value;
      getsockopt(c.fd(), level, name, &value, &n);
      return value;
    };
    for (const net::conn& c : {a, b}) {
      FACT(option(c, SOL_SOCKET, SO_KEEPALIVE) == 1);
      FACT(option(c, IPPROTO_TCP, TCP_KEEPIDLE) == 15);
      FACT(option(c, IPPROTO_TCP, TCP_NODELAY) == 1);
    }
    FACT(!a.set_no_delay(false));
    FACT(option(a, IPPROTO_TCP, TCP_NODELAY) == 0);
    FACT(!a.set_keep_alive(90s));
    FACT(option(a, IPPROTO_TCP, TCP_KEEPIDLE) == 90);
    FACT(!a.set_keep_alive(0s));
    FACT(option(a, SOL_SOCKET, SO_KEEPALIVE) == 0);
    FACT(!a.set_read_buffer(100'000));
    FACT(option(a, SOL_SOCKET, SO_RCVBUF) >= 100'000);
    FACT(!a.set_linger(0));
    FACT(!a.close());
    FACT(a.set_no_delay(true) == errc::closed);
  });
}

TEST_CASE("buffered reading finds lines, exact pieces and what comes next", "[net][bufio]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    wait_group all;
    all.go([a = a] {
      bufio::writer out(a, 16);
      FACT(!out.write("first\r\nsecond\n"));
      FACT(!out.write("\nexact"));
      FACT(!out.write(std::string(100, 'l') + "\nlast"));
      FACT(!out.flush());
      a.close();
    });
    bufio::reader in(b, 16);
    FACT(in.read_line().value == "first");
    const auto next = in.peek(3).value;
    FACT(std::string_view(reinterpret_cast<const char*>(next.data()), next.size()) == "sec");
    FACT(in.peek(17).err == std::errc::no_buffer_space);
    FACT(in.read_line().value == "second");
    FACT(in.read_line().value.empty());
    std::byte five[5];
    FACT(in.read_exact(five).value == 5);
    FACT(in.read_line().value == std::string(100, 'l'));
    const auto last = in.read_line();
    FACT(last.value == "last");
    FACT(!last.err);
    FACT(in.read_line().err == errc::eof);
    all.wait();
  });
}
