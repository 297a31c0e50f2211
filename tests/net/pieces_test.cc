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

TEST_CASE("a line has a bound, and what follows it is still there", "[net][bufio]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    FACT(a.write("123456789\nnext\n1234567\n").value == 23);
    bufio::reader in(b, 16, 8);
    FACT(in.read_line().err == std::errc::message_size);
    FACT(in.read_line().value == "9");
    FACT(in.read_line().value == "next");
    FACT(in.read_line().value == "1234567");  // eight bytes with its end
  });
}

TEST_CASE("a connection is copied to another until its end", "[net]") {
  on_each_poller([] {
    const hang_guard guard("copy");
    auto [a, b] = tcp_pair();
    auto [c, d] = tcp_pair();
    std::string data(3 << 20, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
    wait_group all;
    all.go([&, a = a] {
      FACT(a.write(data).value == data.size());
      FACT(!a.close_write());
    });
    all.go([&, b = b, c = c] {
      const auto [n, err] = net::copy(c, b);
      FACT(!err);
      FACT(n == data.size());
      FACT(!c.close());
    });
    FACT(read_up_to(d, data.size() + 1) == data);
    all.wait();
    // The peer of the destination is gone: an error, no signal. The time is limited by a context.
    auto [e, f] = tcp_pair();
    FACT(!a.close());
    FACT(net::copy(c, e).err == errc::closed);
    auto [ctx, cancel] = with_timeout(background(), 5ms);
    auto [g, h] = tcp_pair();
    FACT(net::copy(ctx, g, e).err == errc::deadline_exceeded);
    FACT(!g.set_linger(0));
    FACT(!h.set_linger(0));
    FACT(!h.close());
    wait_group writer;
    writer.go([f = f] {
      while (!f.write(std::string(1 << 16, 'x')).err) {
      }
    });
    FACT(net::copy(g, e).err);
    FACT(!e.close());
    FACT(!f.close());
    writer.wait();
  });
}

TEST_CASE("a file sent to a peer that has hung up is an error and no signal", "[net]") {
  temp_tree tree;
  tree.file("/large", std::string(4 << 20, 'x'));
  for (const std::string network : {"tcp", "unix"})
    on_each_poller([&] {
      const hang_guard guard("send_file");
      auto l = net::listen(network, network == "tcp" ? "127.0.0.1:0" : "@weft-send-file-" + std::to_string(getpid()))
                   .unwrap();
      auto c = net::dial(network, l.addr().to_string()).unwrap();
      auto served = l.accept().unwrap();
      if (network == "tcp") FACT(!served.set_linger(0));
      FACT(!served.close());
      auto f = fs::open(tree.root() + "/large").unwrap();
      std::error_code e;
      for (int i = 0; i < 100 && !e; ++i) e = c.send_file(f.fd(), 0, 4 << 20).err;
      FACT(e == std::errc::broken_pipe || e == std::errc::connection_reset);
      FACT(c.send_file(f.fd(), 0, 4 << 20).err == std::errc::broken_pipe);
    });
}

TEST_CASE("what stands behind an urgent byte is read", "[net]") {
  on_each_poller([] {
    const hang_guard guard("urgent data");
    auto [a, b] = tcp_pair();
    std::string got;
    std::byte buf[100];
    const auto read_until_size = [&, b = b](std::size_t size) {
      while (got.size() < size) {
        const auto [n, err] = b.read(buf);
        FACT(!err);
        if (err) return;
        got.append(reinterpret_cast<const char*>(buf), n);
      }
    };
    FACT(a.write("first").value == 5);
    read_until_size(5);
    FACT(send(a.fd(), "beforeU", 7, MSG_OOB) == 7);
    FACT(a.write("after").value == 5);
    sleep(2ms);
    read_until_size(16);
    FACT(got == "firstbeforeafter");
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
      FACT(!out.write(std::string(100, 'l').append("\nlast")));
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

TEST_CASE("buffered reading ends with its context, and continues without it", "[net][bufio]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    bufio::reader in(b, 16);
    auto [ctx, cancel] = with_cancel(background());
    FACT(!a.write("one\ntwo!\nthr").err);
    FACT(in.read_line(ctx).value == "one");
    std::byte three[3];
    FACT(in.read_exact(ctx, three).value == 3);
    FACT(in.peek(ctx, 1).value[0] == std::byte{'!'});
    FACT(in.read_until(ctx, '\n').value == "!\n");
    wait_group all;
    all.go([&, &cancel = cancel] {
      sleep(2ms);
      cancel();
    });
    const auto [part, err] = in.read_line(ctx);
    FACT(err == errc::canceled);
    all.wait();
    FACT(!a.write("next\n").err);
    FACT(in.peek(5).value.size() == 5);
    // The context is done: nothing is taken, although it is in the buffer.
    FACT(in.read(ctx, three).err == errc::canceled);
    FACT(in.read_exact(ctx, three).err == errc::canceled);
    FACT(in.read_until(ctx, '\n').err == errc::canceled);
    FACT(in.read_line(ctx).err == errc::canceled);
    FACT(in.peek(ctx, 1).err == errc::canceled);
    FACT(part + in.read_line().value == "thrnext");  // nothing is lost, whether the read had begun or not
  });
}

TEST_CASE("buffered writing ends with its context", "[net][bufio]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    bufio::writer out(a, 16);
    auto [done, cancel] = with_cancel(background());
    FACT(!out.write(done, "text"));
    cancel();
    FACT(out.write(done, "more") == errc::canceled);
    FACT(out.flush(done) == errc::canceled);
    FACT(out.buffered() == 4);
    FACT(!out.flush());
    FACT(out.flush(done) == errc::canceled);
    FACT(read_up_to(b, 4) == "text");
    // A part of the text is written, so that nothing can follow it.
    const std::string much(32 << 20, 'x');
    const auto [soon, stop] = with_cancel(background());
    wait_group all;
    all.go([&, &stop = stop, b = b] {
      FACT(read_up_to(b, 1).size() == 1);  // the write has begun
      stop();
    });
    FACT(out.write(soon, much) == errc::canceled);
    all.wait();
    FACT(out.write("y") == errc::canceled);
    FACT(out.flush() == errc::canceled);
  });
}

TEST_CASE("text is written with a context", "[net]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const auto [ctx, cancel] = with_cancel(background());
    FACT(a.write(ctx, "text").value == 4);
    FACT(read_up_to(b, 4) == "text");
    cancel();
    FACT(a.write(ctx, "text").err == errc::canceled);
  });
}

TEST_CASE("a copy holds neither connection while it waits for the other", "[net]") {
  on_each_poller([] {
    const hang_guard guard("a connection that a copy uses");
    const auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    const auto connected = [&] {
      auto c = net::dial("tcp", l.addr().to_string()).unwrap();
      return std::pair(std::move(c), l.accept().unwrap());
    };
    auto [source, from] = connected();
    auto [to, sink] = connected();
    std::error_code end;
    wait_group copies;
    copies.go([&, from = from, to = to] { end = net::copy(to, from).err; });
    sleep(5ms);
    FACT(!to.write("beside").err);  // while the copy waits for the source
    std::byte some[16];
    FACT(sink.read(some).value == 6);
    FACT(!to.close());
    FACT(!source.write("more").err);
    copies.wait();
    FACT(end == errc::closed);
    auto [filled, slow] = connected();
    auto [flood, into] = connected();
    copies.go([&, from = into, to = filled] { end = net::copy(to, from).err; });
    wait_group writes;
    writes.go([&, flood = flood] {
      const std::string much(1 << 20, 'x');
      while (!flood.write(much).err) {
      }
    });
    sleep(20ms);  // `slow` is not read: the copy waits to write
    FACT(!into.close());
    FACT(!filled.close());
    copies.wait();
    FACT(end == errc::closed);
    FACT(!flood.close());
    writes.wait();
  });
}
