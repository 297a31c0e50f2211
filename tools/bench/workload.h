// The workloads of the scheduler's benchmark: their interface, and their report.
#pragma once
#include <weft/net.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bench {

// The command line's numbers; a workload reads those it needs. 0: the workload's own default.
struct params {
  int p = 1;
  std::int64_t n = 0;
  std::int64_t fibers = 0;
  std::int64_t cap = 128;
  std::int64_t ms = 0;
  std::string addr = "127.0.0.1:7001";

  std::int64_t count(std::int64_t otherwise) const noexcept { return n > 0 ? n : otherwise; }
  std::int64_t crowd(std::int64_t otherwise) const noexcept { return fibers > 0 ? fibers : otherwise; }
};

using figure = std::pair<const char*, std::variant<std::int64_t, double>>;

// `elapsed` over `ops` operations, and the workload's other results.
struct result {
  const char* op;
  std::int64_t ops;
  std::chrono::nanoseconds elapsed;
  std::vector<figure> extra;
};

struct workload {
  const char* name;
  const char* what;
  result (*run)(const params&);
};

class stopwatch {
 public:
  std::chrono::nanoseconds elapsed() const { return std::chrono::steady_clock::now() - began_; }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// The process's user and system time so far, in seconds; its resident set now, in bytes.
double cpu_seconds();
std::int64_t rss_bytes();

// Each runs in the main fiber of a world with params::p Ps.
result yield_fibers(const params&);
result spawn_batch(const params&);
result spawn_one(const params&);
result fork_join_fib(const params&);
result skynet(const params&);
result fork_fib(const params&);
result fork_skynet(const params&);
result fork_queens(const params&);
result fork_quicksort(const params&);
result fork_mergesort(const params&);
result fork_matmul(const params&);
result ping_pong(const params&);
result one_to_one(const params&);
result four_to_four(const params&);
result select_of_two(const params&);
result select_otherwise(const params&);
result ring(const params&);
result sieve(const params&);
result many_channels(const params&);
result connections(const params&);
result mutex_alone(const params&);
result mutex_contended(const params&);
result mutex_yielding(const params&);
result rw_alone(const params&);
result rw_read(const params&);
result rw_write_100(const params&);
result wait_group_alone(const params&);
result once_done(const params&);
result pool_put_get(const params&);
result cond_rounds(const params&);
result mutex_work(const params&);
result atomic_load(const params&);
result map_load(const params&);
result arm_and_stop(const params&);
result sleepers(const params&);
result idle(const params&);
result wake_ups(const params&);
result tickers(const params&);
result parked(const params&);
result blocking_calls(const params&);
result hog(const params&);
result lateness(const params&);
result cancel_tree(const params&);
result common_parent(const params&);
result derive_timeouts(const params&);
result check_error(const params&);
result check_done(const params&);
result check_live(const params&);
// Calls f in a fiber for each connection to params::addr, with a stack of `stack` bytes, for
// params::ms or, if that is 0, without end.
result serve(const params&, const char* workload, std::size_t stack, void (*f)(const weft::net::conn&));
result echo(const params&);
result resp(const params&);
// Sends back all that it receives, until the peer ends. For echo and connections.
void echo_back(const weft::net::conn& c);
result http_hello(const params&);

}  // namespace bench
