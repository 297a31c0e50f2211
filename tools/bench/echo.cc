// A TCP echo server, as a peer for a load generator: a fiber and a 4 KiB buffer for each connection.
#include <fmt/format.h>
#include <weft/weft.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "tools/bench/workload.h"

namespace bench {
namespace {

void serve(const weft::net::conn& c) {
  std::array<std::byte, 4096> buf;
  while (auto got = c.read(buf))
    if (c.write(std::span(buf).first(got.value)).err) return;
}

}  // namespace

result echo(const params& a) {
  auto [l, err] = weft::net::listen("tcp4", a.addr);
  if (err) {
    fmt::print(stderr, "bench echo: cannot listen on {}: {}\n", a.addr, err.message());
    std::exit(1);
  }
  weft::go([l = l] {
    while (auto c = l.accept()) weft::go([c = std::move(c.value)] { serve(c); });
  });
  const stopwatch t;
  if (a.ms > 0) weft::sleep(std::chrono::milliseconds(a.ms));
  else weft::select();
  (void)l.close();
  return {"ms", a.ms, t.elapsed(), {}};
}

}  // namespace bench
