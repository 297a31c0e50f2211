// With io_uring a socket waits in a ring on one P, and in the epoll once there have been several:
// net/poller/uring.h.
#include <liburing.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/net/on_each_poller.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool has_io_uring() {
  io_uring probe{};
  if (io_uring_queue_init(4, &probe, 0) < 0) {
    WARN("no io_uring here: only epoll is tried");
    return false;
  }
  io_uring_queue_exit(&probe);
  return true;
}

options on_io_uring(int procs) {
  options o;
  o.maxprocs = procs;
  o.poller = poller_kind::io_uring;
  return o;
}

// By the kernel's account: whether an epoll of this process watches `fd`.
bool in_an_epoll(int fd) {
  std::error_code gone;  // another thread may have closed a descriptor
  for (std::filesystem::directory_iterator at("/proc/self/fdinfo", gone), end; at != end; at.increment(gone)) {
    std::ifstream info(at->path());
    for (std::string line; std::getline(info, line);) {
      std::istringstream words(line);
      std::string title;
      int watched = -1;
      if (words >> title >> watched && title == "tfd:" && watched == fd) return true;
    }
  }
  return false;
}

// Sends a byte to and fro `rounds` times; the other end echoes.
void talk(const net::conn& a, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    FACT(!a.write("x").err);
    FACT(read_up_to(a, 1) == "x");
  }
}

void echo(const net::conn& c) {
  std::byte buf[16];
  for (;;) {
    const auto [n, err] = c.read(buf);
    if (err || c.write({buf, n}).err) return;
  }
}

}  // namespace

TEST_CASE("a socket waits in a ring on one P and in an epoll on several", "[net][poller]") {
  if (!has_io_uring()) return;
  const int procs = GENERATE(1, 2, 4);
  CAPTURE(procs);
  in_world(on_io_uring(procs), [=] {
    const hang_guard guard("a socket is in no epoll");
    auto [a, b] = tcp_pair();
    wait_group reader;
    reader.go([a = a] { FACT(read_up_to(a, 1) == "x"); });
    if (procs > 1)
      while (!in_an_epoll(a.fd())) sleep(1ms);
    sleep(5ms);
    FACT(in_an_epoll(a.fd()) == (procs > 1));
    FACT(!b.write("x").err);
    reader.wait();
  });
  report_broken_fact();
}

TEST_CASE("connections that wait in a ring go on when a second P comes", "[net][poller][maxprocs]") {
  if (!has_io_uring()) return;
  in_world(on_io_uring(1), [] {
    const hang_guard guard("a connection is lost as a P is added");
    std::vector<pair_of_conns> pairs;
    wait_group servers, clients;
    for (int i = 0; i < 20; ++i) pairs.push_back(tcp_pair());
    for (const pair_of_conns& p : pairs) servers.go([c = p.b] { echo(c); });
    for (const pair_of_conns& p : pairs) clients.go([c = p.a] { talk(c, 200); });
    for (const int procs : {2, 1, 4, 2}) {
      sleep(1ms);
      maxprocs(procs);
    }
    clients.wait();
    const net::conn& last = pairs.back().a;
    last.set_read_deadline(now() + 2ms);
    std::byte buf[1];
    FACT(last.read(buf).err == errc::timeout);
    FACT(in_an_epoll(last.fd()));
    for (const pair_of_conns& p : pairs) FACT(!p.a.close());
    servers.wait();
  });
  report_broken_fact();
}

TEST_CASE("a read that waits in a ring is ended on several Ps too", "[net][poller][maxprocs]") {
  if (!has_io_uring()) return;
  in_world(on_io_uring(1), [] {
    const hang_guard guard("a read that began on one P does not end");
    auto [a, b] = tcp_pair();
    auto [c, d] = tcp_pair();
    wait_group readers;
    readers.go([a = a] {
      std::byte buf[1];
      FACT(a.read(buf).err == errc::timeout);
    });
    readers.go([c = c] {
      std::byte buf[1];
      FACT(c.read(buf).err == errc::closed);
    });
    sleep(2ms);  // both wait
    maxprocs(2);
    a.set_read_deadline(now());
    FACT(!c.close());
    readers.wait();
    a.set_read_deadline();
    FACT(!b.write("y").err);
    FACT(read_up_to(a, 1) == "y");
  });
  report_broken_fact();
}
