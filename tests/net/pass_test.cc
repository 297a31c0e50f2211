// Descriptors in messages over Unix sockets, and descriptors that become connections.
#include <weft/pass.h>

#include "tests/net/on_each_poller.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

pair_of_conns unix_pair(int type = SOCK_STREAM) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return {net::adopt_conn(net::unique_fd(ends[0])).unwrap(), net::adopt_conn(net::unique_fd(ends[1])).unwrap()};
}

bool same_file(int a, int b) {
  struct stat x {
  }, y{};
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

// How many descriptors of this process are that file; both ends of a pipe are one file. The library
// opens and closes descriptors of its own while a test runs (/proc, rings), so a count of all of
// them, or the number that the next one would get, says nothing about the test.
int descriptors_of(int fd) {
  int count = 0;
  for (int other = 0; other < 1024; ++other) count += same_file(other, fd) ? 1 : 0;
  return count;
}

// Until the poller of this world has made what it needs.
void warm_up() {
  auto [a, b] = unix_pair();
  FACT(!a.write("x").err);
  std::byte buf[1];
  FACT(b.read(buf).value == 1);
}

}  // namespace

TEST_CASE("descriptors travel with data and are not inherited", "[net][NET-60]") {
  on_each_poller([] {
    const hang_guard guard("descriptors travel");
    auto [a, b] = unix_pair();
    auto [reader, writer] = os::pipe().unwrap();
    wait_group all;
    net::fd_message got;
    all.go([&, b = b] {
      std::byte buf[16];
      got = b.recv_fds(buf).unwrap();
      FACT(got.n == 3);
      FACT(std::memcmp(buf, "two", 3) == 0);
    });
    sleep(1ms);
    const std::array fds{reader.fd(), writer.fd()};
    FACT(a.send_fds(bytes("two"), fds).value == 3);
    all.wait();
    REQUIRE(got.fds.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      FACT(same_file(got.fds[i].get(), fds[i]));
      FACT(got.fds[i].get() != fds[i]);
      FACT((fcntl(got.fds[i].get(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    auto theirs = fs::adopt(std::move(got.fds[1])).unwrap();
    FACT(theirs.write("x").value == 1);
    std::byte buf[8];
    FACT(reader.read(buf).value == 1);
  });
}

TEST_CASE("messages keep their descriptors apart", "[net][NET-60]") {
  on_each_poller([] {
    const hang_guard guard("messages of descriptors");
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
      auto [a, b] = unix_pair(type);
      auto [reader, writer] = os::pipe().unwrap();
      wait_group all;
      all.go([&, a = a] {
        const std::array fds{reader.fd(), reader.fd()};
        for (unsigned i = 0; i < 21; ++i) FACT(a.send_fds(bytes("m"), std::span(fds).first(i % 3)).value == 1);
        a.close_write();
      });
      std::size_t received = 0;
      std::byte one[1];
      for (;;) {
        auto [m, err] = b.recv_fds(one);
        if (err) {
          FACT(err == errc::eof);
          break;
        }
        received += m.fds.size();
        for (const net::unique_fd& fd : m.fds) FACT(same_file(fd.get(), reader.fd()));
      }
      FACT(received == 7 * 1 + 7 * 2);
      all.wait();
    }
  });
}

TEST_CASE("descriptors for which there is no room are closed, all of them, and an error says so", "[net]") {
  on_each_poller([] {
    auto [a, b] = unix_pair();
    auto [reader, writer] = os::pipe().unwrap();
    const std::array fds{reader.fd(), writer.fd(), reader.fd()};
    std::byte buf[8];
    for (const std::size_t room : {0u, 1u, 2u}) {
      FACT(a.send_fds(bytes("abc"), fds).value == 3);
      const auto [m, err] = b.recv_fds(buf, room);
      FACT(err == net::errc::descriptors_lost);
      FACT(m.n == 3);
      FACT(m.fds.empty());
      FACT(descriptors_of(reader.fd()) == 2);
    }
    FACT(a.send_fds(bytes("abc"), fds).value == 3);
    {
      const net::fd_message m = b.recv_fds(buf, 3).unwrap();
      FACT(m.fds.size() == 3);
      FACT(descriptors_of(reader.fd()) == 2 + 3);
    }
    FACT(a.send_fds(bytes("abc"), fds).value == 3);
    FACT(b.read(buf).value == 3);  // a plain read drops them
    FACT(descriptors_of(reader.fd()) == 2);
    // The pipe's ends are where they were, and nowhere else.
    FACT(!reader.close());
    FACT(writer.write("x").err == std::errc::broken_pipe);
  });
}

TEST_CASE("descriptors that the process may not open are lost, not leaked", "[net]") {
  on_each_poller([] {
    warm_up();
    auto [a, b] = unix_pair();
    auto [reader, writer] = os::pipe().unwrap();
    const std::array fds{reader.fd(), writer.fd(), reader.fd(), reader.fd()};
    FACT(a.send_fds(bytes("abc"), fds).value == 3);
    rlimit usual{};
    getrlimit(RLIMIT_NOFILE, &usual);
    const int next_free = fcntl(0, F_DUPFD, 0);
    ::close(next_free);
    const rlimit tight{static_cast<rlim_t>(next_free) + 1, usual.rlim_max};
    setrlimit(RLIMIT_NOFILE, &tight);
    std::byte buf[8];
    const auto [m, err] = b.recv_fds(buf);
    setrlimit(RLIMIT_NOFILE, &usual);
    FACT(err == net::errc::descriptors_lost);
    FACT(m.fds.empty());
    FACT(descriptors_of(reader.fd()) == 2);
  });
}

TEST_CASE("what cannot carry descriptors says so", "[net]") {
  on_each_poller([] {
    auto [a, b] = unix_pair();
    auto [reader, writer] = os::pipe().unwrap();
    const std::vector<int> most(net::max_fds, reader.fd()), too_many(net::max_fds + 1, reader.fd());
    FACT(a.send_fds(bytes("x"), too_many).err == net::errc::too_many_descriptors);
    FACT(a.send_fds(bytes("x"), most).value == 1);
    std::byte buf[8];
    FACT(b.recv_fds(buf).unwrap().fds.size() == net::max_fds);
    const std::array bad{-1};
    FACT(a.send_fds(bytes("x"), bad).err == std::errc::bad_file_descriptor);
    bool thrown = false;
    try {
      (void)a.send_fds({}, std::span(most).first(1)).err;
    } catch (const panic&) {
      thrown = true;
    }
    FACT(thrown);
    auto [c, d] = tcp_pair();
    FACT(c.send_fds(bytes("x"), std::span(most).first(1)).err == std::errc::operation_not_supported);
    FACT(d.recv_fds(buf).err == std::errc::operation_not_supported);
    FACT(!a.close());
    FACT(a.recv_fds(buf).err == errc::closed);
    FACT(b.recv_fds(buf).err == errc::eof);
  });
}

TEST_CASE("deadlines, contexts and close end the wait for descriptors", "[net]") {
  on_each_poller([] {
    const hang_guard guard("wait for descriptors");
    auto [a, b] = unix_pair();
    std::byte buf[8];
    b.set_read_deadline(weft::now() + 2ms);
    FACT(b.recv_fds(buf).err == errc::timeout);
    b.set_read_deadline();
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(b.recv_fds(ctx, buf).err == errc::deadline_exceeded);
    FACT(a.send_fds(ctx, bytes("x"), {}).err == errc::deadline_exceeded);
    wait_group all;
    all.go([b = b] {
      std::byte own[8];
      FACT(b.recv_fds(own).err == errc::closed);
    });
    sleep(1ms);
    FACT(!b.close());
    all.wait();
  });
}

TEST_CASE("a plain read of a Unix stream sees all that came, however it was sent", "[net]") {
  on_each_poller([] {
    const hang_guard guard("plain read after descriptors");
    auto [a, b] = unix_pair();
    auto [reader, writer] = os::pipe().unwrap();
    const std::array fds{reader.fd()};
    for (int i = 0; i < 20; ++i) {
      wait_group all;
      all.go([&, b = b] {
        std::string got;
        std::byte buf[8];  // a message with descriptors ends a read, though there is more
        while (got.size() < 2)
          if (auto r = b.read(buf)) got.append(reinterpret_cast<const char*>(buf), r.value);
        FACT(got == "12");
      });
      yield();
      FACT(a.send_fds(bytes("1"), fds).value == 1);
      FACT(a.write("2").value == 1);
      all.wait();
    }
  });
}

TEST_CASE("descriptors that were got otherwise become connections and listeners", "[net]") {
  on_each_poller([] {
    const hang_guard guard("adopted sockets");
    auto original = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto l = net::adopt_listener(net::unique_fd(fcntl(original.fd(), F_DUPFD_CLOEXEC, 0))).unwrap();
    FACT(l.addr() == original.addr());
    FACT(!original.close());
    auto a = net::dial("tcp", l.addr().to_string()).unwrap();
    auto b = net::adopt_conn(net::unique_fd(fcntl(l.accept().unwrap().fd(), F_DUPFD_CLOEXEC, 0)));
    REQUIRE(!b.err);
    FACT(b.value.remote_addr() == a.local_addr());
    FACT(!a.write("x").err);
    std::byte buf[1];
    FACT(b.value.read(buf).value == 1);
    FACT(net::adopt_listener(net::unique_fd(fcntl(a.fd(), F_DUPFD_CLOEXEC, 0))).err == std::errc::invalid_argument);
    FACT(net::adopt_conn(net::unique_fd(fcntl(l.fd(), F_DUPFD_CLOEXEC, 0))).err == std::errc::not_connected);
    FACT(net::adopt_conn(net::unique_fd(fcntl(0, F_DUPFD_CLOEXEC, 0))).err == std::errc::not_a_socket);
  });
}
