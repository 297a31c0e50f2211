// Net tests run on both pollers, on worlds of several widths.
#pragma once
#include <weft/net.h>

#include <cstring>
#include <string>
#include <string_view>

#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

namespace weft::testing {

inline const char* name_of(poller_kind k) { return k == poller_kind::epoll ? "epoll" : "io_uring"; }

// in_world() with one of the pollers: each test case that calls it is run for both, and for each
// width.
template <class F>
void on_each_poller(F f) {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  const int procs = GENERATE(1, 2, 4, 16);
  CAPTURE(name_of(kind), procs);
  options o;
  o.maxprocs = procs;
  o.poller = kind;
  in_world(o, f);
  report_broken_fact();
}

inline std::span<const std::byte> bytes(std::string_view s) { return std::as_bytes(std::span(s)); }

// What can be read from any kind of connection until the end of the stream, or `limit` bytes.
template <class Conn>
std::string read_up_to(const Conn& c, std::size_t limit) {
  std::string all(limit, '\0');
  std::size_t n = 0;
  while (n < limit) {
    auto [got, err] = c.read(std::as_writable_bytes(std::span(all)).subspan(n));
    if (err) break;
    n += got;
  }
  all.resize(n);
  return all;
}

struct pair_of_conns {
  net::conn a, b;
};

// Two ends of one TCP connection over the loopback.
inline pair_of_conns tcp_pair() {
  net::listener l = net::listen("tcp", "127.0.0.1:0").unwrap();
  pair_of_conns p;
  p.a = net::dial("tcp", l.addr().to_string()).unwrap();
  p.b = l.accept().unwrap();
  return p;
}

}  // namespace weft::testing
