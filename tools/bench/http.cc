// An HTTP server that answers hello, as a peer for a load generator.
#include <fmt/format.h>
#include <weft/weft.h>

#include <cstdio>
#include <cstdlib>

#include "tools/bench/workload.h"

namespace bench {

result http_hello(const params& a) {
  weft::http::server s(a.addr, [](auto& w, const auto&) { (void)w.write("hello, world\n"); });
  weft::go([&] {
    const std::error_code e = s.listen_and_serve();
    if (e == weft::errc::closed) return;
    fmt::print(stderr, "bench http: cannot serve on {}: {}\n", a.addr, e.message());
    std::exit(1);
  });
  const stopwatch t;
  if (a.ms > 0) weft::sleep(std::chrono::milliseconds(a.ms));
  else weft::select();
  (void)s.close();
  return {"ms", a.ms, t.elapsed(), {}};
}

}  // namespace bench
