// A TCP echo server, as a peer for a load generator: a fiber for each connection, and 4 KiB while there is something in
// them.
#include <fmt/format.h>
#include <weft/weft.h>

#include <cstdio>
#include <cstdlib>

#include "tools/bench/workload.h"

namespace bench {
namespace {

// Bytes. Stacks that are far apart, as those of 256 KiB are, need more page tables than the CPU keeps at hand, which
// a thousand connections feel.
constexpr std::size_t stack_of_connection = 32 << 10;

}  // namespace

void echo_back(const weft::net::conn& c) {
  while (auto got = c.receive())
    if (c.write(got.value).err) return;
}

result echo(const params& a) {
  auto [l, err] = weft::net::listen("tcp4", a.addr);
  if (err) {
    fmt::print(stderr, "bench echo: cannot listen on {}: {}\n", a.addr, err.message());
    std::exit(1);
  }
  weft::go([l = l] {
    while (auto c = l.accept())
      weft::go({.stack_size = stack_of_connection}, [c = std::move(c.value)] { echo_back(c); });
  });
  const stopwatch t;
  if (a.ms > 0) weft::sleep(std::chrono::milliseconds(a.ms));
  else weft::select();
  (void)l.close();
  return {"ms", a.ms, t.elapsed(), {}};
}

}  // namespace bench
