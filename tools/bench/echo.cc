// A TCP echo server, as a peer for a load generator: a fiber for each connection, and 4 KiB while
// there is something in them.
#include <fmt/format.h>
#include <weft/weft.h>

#include <cstdio>
#include <cstdlib>

#include "tools/bench/workload.h"

namespace bench {
namespace {

// Bytes. Stacks that are far apart, as those of 256 KiB are, need more page tables than the CPU
// keeps at hand, which a thousand connections feel.
constexpr std::size_t stack_of_connection = 32 << 10;

}  // namespace

void echo_back(const weft::net::conn& c) {
  while (auto got = c.receive())
    if (c.write(got.value).err) return;
}

result serve(const params& a, const char* workload, std::size_t stack, void (*f)(const weft::net::conn&)) {
  auto [l, err] = weft::net::listen("tcp4", a.addr);
  if (err) {
    fmt::print(stderr, "bench {}: cannot listen on {}: {}\n", workload, a.addr, err.message());
    std::exit(1);
  }
  weft::go([l = l, stack, f] {
    while (auto c = l.accept()) weft::go({.stack_size = stack}, [f, c = std::move(c.value)] { f(c); });
  });
  const stopwatch t;
  if (a.ms > 0) weft::sleep(std::chrono::milliseconds(a.ms));
  else weft::select();
  (void)l.close();
  return {"ms", a.ms, t.elapsed(), {}};
}

result echo(const params& a) { return serve(a, "echo", stack_of_connection, echo_back); }

}  // namespace bench
