// What holds for both ends of any stream: TCP, TLS, a pipe in memory.
#pragma once
#include "tests/net/on_each_poller.h"

namespace weft::testing {

// A read that a context ends has taken nothing.
template <class Stream>
void check_context_ends_read(const Stream& a, const Stream& b) {
  using namespace std::chrono_literals;
  std::byte buf[8];
  {
    auto [ctx, cancel] = with_timeout(background(), 3ms);
    FACT(a.read(ctx, buf).err == errc::deadline_exceeded);
  }
  auto [ctx, cancel] = with_cancel(background());
  wait_group reading, writing;
  std::error_code e;
  reading.go([&, ctx = ctx] {
    std::byte own[8];
    e = a.read(ctx, own).err;
  });
  sleep(1ms);
  cancel();
  reading.wait();
  FACT(e == errc::canceled);
  FACT(a.read(ctx, buf).err == errc::canceled);
  writing.go([&] { FACT(b.write("x").value == 1); });
  FACT(a.read(buf).value == 1);
  writing.wait();
}

// A context is cancelled at about the time at which the data comes: the read returns it, or the
// next read does.
template <class Stream>
void check_cancel_meets_data(const Stream& a, const Stream& b) {
  for (int i = 0; i < scaled(200); ++i) {
    auto [ctx, cancel] = with_cancel(background());
    wait_group reading, writing;
    std::size_t n = 0;
    reading.go([&, ctx = ctx] {
      std::byte own[8];
      n = a.read(ctx, own).value;
    });
    writing.go([&] { FACT(b.write("x").value == 1); });
    if (i % 2) yield();
    cancel();
    reading.wait();
    std::byte own[8];
    if (n == 0) FACT(a.read(own).value == 1);
    writing.wait();
  }
}

}  // namespace weft::testing
