// Sockets: connections, time limits, datagrams, descriptors.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft/async.h>
#include <weft/context.h>
#include <weft/endpoint.h>
#include <weft/errors.h>
#include <weft/fs.h>
#include <weft/go.h>
#include <weft/net.h>
#include <weft/os.h>
#include <weft/pass.h>
#include <weft/received.h>
#include <weft/wait_group.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// A server with a fiber for each connection, and a client.
void tcp_echo() {
  const weft::net::listener listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  auto server = weft::async([listener] {
    weft::wait_group connections;
    while (const auto accepted = listener.accept())
      connections.go([c = accepted.value] {
        while (const auto got = c.receive())
          if (c.write(got.value).err) break;
      });
    connections.wait();
  });
  const weft::net::conn c = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  c.write("hello").unwrap();
  c.close_write();
  while (const auto got = c.receive()) std::printf("%.*s", static_cast<int>(got.value.size()), got.value.text().data());
  std::puts("");
  listener.close();
  server.get();
}
// Prints:
// hello

// The end of a stream is an error that programs expect.
void read_until_eof() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  auto server = weft::async([listener] { listener.accept().unwrap().write("bye").unwrap(); });
  const auto c = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  std::string all;
  std::array<char, 2> buf;
  for (;;) {
    const auto [n, err] = c.read(std::as_writable_bytes(std::span(buf)));
    if (err == weft::errc::eof) break;
    all.append(buf.data(), n);
  }
  std::puts(all.c_str());
  server.get();
}
// Prints:
// bye

// After a deadline operations fail. A waiting operation fails too.
void deadline() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const auto c = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  c.set_read_deadline(weft::now() + 1ms);
  std::array<std::byte, 16> buf;
  if (c.read(buf).err == weft::errc::timeout) std::puts("nothing came in time");
  auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
  c.set_read_deadline();
  if (c.read(ctx, buf).err == weft::errc::deadline_exceeded) std::puts("nor before the context was done");
}
// Prints:
// nothing came in time
// nor before the context was done

// A proxy: copies one connection to another until the end of the stream.
void copy() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const std::string at = listener.addr().to_string();
  const auto from = weft::net::dial("tcp", at).unwrap(), left = listener.accept().unwrap();
  const auto to = weft::net::dial("tcp", at).unwrap(), right = listener.accept().unwrap();
  from.write("through the proxy").unwrap();
  from.close_write();
  const std::uint64_t n = weft::net::copy(right, left).unwrap();
  const weft::net::received got = to.receive().unwrap();
  std::printf("%d bytes: %s\n", static_cast<int>(n), std::string(got.text()).c_str());
}
// Prints:
// 17 bytes: through the proxy

// Several pieces in as few system calls as possible.
void write_v() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const auto c = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  c.write_v(std::array{bytes("head, "), bytes("body, "), bytes("end")}).unwrap();
  std::puts(std::string(listener.accept().unwrap().receive().unwrap().text()).c_str());
}
// Prints:
// head, body, end

// Datagrams, and the address of their sender.
void udp() {
  const weft::net::packet_conn server = weft::net::listen_packet("udp", "127.0.0.1:0").unwrap();
  const auto client = weft::net::listen_packet("udp", "127.0.0.1:0").unwrap();
  const std::string_view text = "ping";
  client.write_to(std::as_bytes(std::span(text)), server.local_addr()).unwrap();
  std::array<std::byte, 16> buf;
  const weft::net::datagram d = server.read_from(buf).unwrap();
  std::printf("%zu bytes %s\n", d.n, d.from == client.local_addr() ? "from the client" : "from another program");
}
// Prints:
// 4 bytes from the client

// The address of a socket, as a value.
void endpoint() {
  const weft::net::endpoint at = weft::net::resolve("tcp", "127.0.0.1:8080").unwrap();
  std::printf("%s port %d, %s\n", at.host().c_str(), at.port(), std::string(at.network()).c_str());
  std::puts(weft::net::resolve("tcp6", "[::1]:80").unwrap().to_string().c_str());
  if (weft::net::resolve("tcp", "127.0.0.1").err == weft::net::errc::missing_port) std::puts("no port");
}
// Prints:
// 127.0.0.1 port 8080, tcp
// [::1]:80
// no port

// A Unix connection passes descriptors: the receiver writes to the sender's pipe.
void pass_descriptors() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  const auto sender = weft::net::adopt_conn(weft::net::unique_fd(ends[0])).unwrap();
  const auto receiver = weft::net::adopt_conn(weft::net::unique_fd(ends[1])).unwrap();
  const auto pipe = weft::os::pipe().unwrap();
  std::array<std::byte, 1> buf{};
  sender.send_fds(buf, std::array{pipe.writer.fd()}).unwrap();
  weft::net::fd_message got = receiver.recv_fds(buf, weft::net::max_fds).unwrap();
  weft::fs::adopt(std::move(got.fds.at(0))).unwrap().write("through a passed descriptor").unwrap();
  std::array<char, 64> text;
  const std::size_t n = pipe.reader.read(std::as_writable_bytes(std::span(text))).unwrap();
  std::puts(std::string(text.data(), n).c_str());
}
// Prints:
// through a passed descriptor

// A descriptor of another library: the fiber waits until it can be read.
void wait_readable() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  const weft::net::unique_fd reader(ends[0]), writer(ends[1]);
  auto waiter = weft::async([fd = reader.get()] { return weft::net::wait_readable(fd); });
  char byte = 'x';
  if (weft::net::wait_writable(writer.get())) return;
  if (::write(writer.get(), &byte, 1) != 1 || waiter.get()) return;
  if (::read(reader.get(), &byte, 1) == 1) std::printf("%c\n", byte);
}
// Prints:
// x

// A dialer has a time limit and a local address; dial_timeout is the short form of the former.
void dialer() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const std::string at = listener.addr().to_string();
  const weft::net::dialer d{.timeout = 1min, .local = "127.0.0.1:0"};
  const auto c = d.dial("tcp", at).unwrap();
  if (listener.accept().unwrap().remote_addr() == c.local_addr()) std::puts("connected");
  if (weft::net::dial_timeout("tcp", at, 1min)) std::puts("again");
}
// Prints:
// connected
// again

// The addresses of a host. An address is its own.
void lookup_host() {
  for (const weft::net::endpoint& e : weft::net::lookup_host("127.0.0.1").unwrap()) std::puts(e.host().c_str());
}
// Prints:
// 127.0.0.1

// Options of a socket. raw_control gives the descriptor, for options that weft has no function for.
void socket_options() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const auto c = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  const weft::net::socket& s = c;
  if (!s.set_no_delay(false) && !s.set_keep_alive(1min) && !s.set_linger(0)) std::puts("set");
  int type = 0;
  socklen_t size = sizeof type;
  const std::error_code e = s.raw_control([&](int fd) { ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size); });
  if (!e && type == SOCK_STREAM) std::puts("a stream");
}
// Prints:
// set
// a stream

// A listening socket that was inherited, as from systemd.
void adopt_listener() {
  const auto inherited = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  const auto listener = weft::net::adopt_listener(weft::net::unique_fd(::dup(inherited.fd()))).unwrap();
  const auto c = weft::net::dial("tcp", inherited.addr().to_string()).unwrap();
  if (listener.accept()) std::puts("accepted");
}
// Prints:
// accepted

// Which part an error comes from: weft, addresses, or the system.
void error_categories() {
  const std::error_code closed = weft::net::conn().close();
  if (closed.category() == weft::weft_category()) std::puts(closed.message().c_str());
  const std::error_code address = weft::net::resolve("pigeon", "127.0.0.1:80").err;
  if (address == weft::net::errc::unknown_network && address.category() == weft::net::net_category())
    std::puts("an unknown network");
  const std::error_code system = weft::fs::open("/no/such/file").err;
  if (system.category() == std::system_category()) std::puts(system.message().c_str());
}
// Prints:
// use of closed connection
// an unknown network
// No such file or directory

const examples::group net({
    {"tcp_echo", tcp_echo},
    {"read_until_eof", read_until_eof},
    {"deadline", deadline},
    {"copy", copy},
    {"write_v", write_v},
    {"udp", udp},
    {"endpoint", endpoint},
    {"pass_descriptors", pass_descriptors},
    {"wait_readable", wait_readable},
    {"dialer", dialer},
    {"lookup_host", lookup_host},
    {"socket_options", socket_options},
    {"adopt_listener", adopt_listener},
    {"error_categories", error_categories},
});

}  // namespace
