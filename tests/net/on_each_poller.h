// Net tests run on both pollers, on worlds of several widths.
#pragma once
#include <weft/net.h>

#include <atomic>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

namespace weft::testing {

// The first expectation that was not met. Catch's own are for one thread at a time.
struct broken_fact {
  std::atomic<const char*> what{nullptr};
  std::atomic<const char*> file{nullptr};
  std::atomic<int> line{0};
};
inline broken_fact broken;

inline void expect(bool met, const char* what, const char* file, int line) {
  const char* none = nullptr;
  if (met || !broken.what.compare_exchange_strong(none, what)) return;
  broken.file = file;
  broken.line = line;
}
// Like CHECK, from any fiber or thread.
#define FACT(...) ::weft::testing::expect(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

// In the test's own thread, when the others are done.
inline void report_broken_fact() {
  if (const char* what = broken.what.exchange(nullptr)) FAIL_CHECK(broken.file << ":" << broken.line << ": " << what);
  else SUCCEED();
}

inline const char* name_of(poller_kind k) { return k == poller_kind::epoll ? "epoll" : "io_uring"; }

// in_world() with one of the pollers: each test case that calls it is run for both, and for each width.
template <class F>
void on_each_poller(F f) {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  const int procs = GENERATE(1, 2, 4, 16);
  CAPTURE(name_of(kind), procs);
  std::exception_ptr failure;
  std::size_t left_over = 0;
  options o;
  o.maxprocs = procs;
  o.poller = kind;
  run(o, [&] {
    try {
      f();
      for (int i = 0; i < 1000 && num_fibers() > 1; ++i) sleep(std::chrono::milliseconds(1));
      left_over = num_fibers() - 1;
    } catch (...) {
      failure = std::current_exception();
    }
  });
  report_broken_fact();
  if (failure) std::rethrow_exception(failure);
  CHECK(left_over == 0);
}

inline std::span<const std::byte> bytes(std::string_view s) { return std::as_bytes(std::span(s)); }

// What can be read until the end of the stream, or `limit` bytes.
inline std::string read_up_to(const net::conn& c, std::size_t limit) {
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
