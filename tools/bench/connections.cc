// Many TCP connections over loopback within one process, of which one at a time has something to
// say.
#include <fmt/format.h>
#include <sys/resource.h>
#include <weft/weft.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tools/bench/workload.h"

namespace bench {
namespace {

constexpr std::size_t message = 64;

void round_trip(const weft::net::conn& c) {
  std::array<std::byte, message> text{};
  if (c.write(text).err) std::abort();
  for (std::size_t n = 0; n < message;) n += c.read(std::span(text).subspan(n)).unwrap();
}

// Two descriptors a connection, and some for everything else.
void allow_descriptors(std::int64_t connections) {
  const auto wanted = static_cast<rlim_t>(2 * connections + 100);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  if (wanted <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  fmt::print(stderr, "bench connections: {} descriptors are not to be had (ulimit -n)\n", wanted);
  std::exit(1);
}

}  // namespace

result connections(const params& a) {
  const std::int64_t k = a.crowd(1000), rounds = (a.count(100'000) + k - 1) / k;
  allow_descriptors(k);
  auto l = weft::net::listen("tcp4", "127.0.0.1:0").unwrap();
  const std::int64_t before = rss_bytes();
  weft::wait_group servers;
  std::vector<weft::net::conn> all;
  for (std::int64_t i = 0; i < k; ++i) {
    all.push_back(weft::net::dial("tcp4", l.addr().to_string()).unwrap());
    (void)all.back().set_linger(0);  // no port waits for its late packets
    servers.go([c = l.accept().unwrap()] { echo_back(c); });
  }
  for (const auto& c : all) round_trip(c);  // every fiber has begun
  const std::int64_t resident = rss_bytes() - before;
  const stopwatch t;
  for (std::int64_t r = 0; r < rounds; ++r)
    for (const auto& c : all) round_trip(c);
  const auto d = t.elapsed();
  all.clear();
  servers.wait();
  return {"round trip", rounds * k, d, {{"rss_per_conn", static_cast<double>(resident) / static_cast<double>(k)}}};
}

}  // namespace bench
