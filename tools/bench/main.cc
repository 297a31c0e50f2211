// weft_bench WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T] [-addr A]: one workload, one line
// of JSON.
#include <weft/weft.h>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "tools/bench/workload.h"

namespace bench {

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

std::int64_t rss_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

namespace {

constexpr std::array workloads{
    workload{"atomicload", "P fibers load one atomic value, n times in all", atomic_load},
    workload{"blocking", "4 fibers in a 100 ms blocking system call beside -fibers (1000) yielding ones: longest stall",
             blocking_calls},
    workload{"canceltree", "build a chain of -fibers (100) contexts and cancel its top, n times", cancel_tree},
    workload{"connections", "-fibers (1000) TCP connections, n round trips of 64 bytes, one connection after the other",
             connections},
    workload{"channels", "-fibers (1000) channels with a receiver each, n items sent to one after the other",
             many_channels},
    workload{"checkdone", "select with otherwise on a cancelled context's done channel, n times", check_done},
    workload{"checkerr", "err() of a cancelled context, n times", check_error},
    workload{"checklive", "err() of a live context, n times", check_live},
    workload{"commonparent", "derive from one shared context, read a value, cancel, from p fibers, n times",
             common_parent},
    workload{"cond32", "-fibers (32) waiters and one more meet n times (50000), the last one broadcasts", cond_rounds},
    workload{"ctxtimeout", "make and cancel 10 one-hour timeouts beside -fibers (4000) living ones, n times",
             derive_timeouts},
    workload{"echo", "TCP echo server on -addr (127.0.0.1:7001) for -ms, or until it is killed", echo},
    workload{"fib", "fork-join fib(n) without cutoff, one fiber per fork (32)", fork_join_fib},
    workload{"forkfib", "fib(n) without cutoff by parallel_invoke (32)", fork_fib},
    workload{"forkskynet", "10-ary tree to n leaves (1000000) by parallel_reduce", fork_skynet},
    workload{"hog", "a busy loop of -ms (200) beside a 1 ms ticker fiber: longest lateness", hog},
    workload{"lateness",
             "-fibers (50) that compute -ms (5) each beside a fiber that sleeps 1 ms at a time: longest lateness",
             lateness},
#ifdef WEFT_BENCH_HTTP
    workload{"http", "HTTP server on -addr that says hello, for -ms or until it is killed", http_hello},
#endif
    workload{"idle", "nothing to do for -ms (1000): CPU used", idle},
    workload{"mapload", "P fibers load from one sync map of 1023 keys, n times in all", map_load},
    workload{"matmul", "product of two n x n matrices (400) by parallel_for over the rows", fork_matmul},
    workload{"mergesort", "n numbers (1000000) by parallel_invoke of the halves", fork_mergesort},
    workload{"mpmc", "four producers, four consumers, channel of -cap (128), n items", four_to_four},
    workload{"mutex", "uncontended lock+unlock, n times", mutex_alone},
    workload{"mutexcontend", "-fibers fibers (8) lock, add one, unlock, n times in all", mutex_contended},
    workload{"mutexwork", "P fibers lock and unlock one mutex and work a little after that, n times in all",
             mutex_work},
    workload{"mutexyield", "as mutexcontend, with a yield while holding the lock", mutex_yielding},
    workload{"nqueens", "all ways to place n queens (12) by parallel_reduce over each row's places", fork_queens},
    workload{"once", "P fibers call a once that is done, n times in all", once_done},
    workload{"parked", "-fibers fibers (100000) blocked on a channel: memory, create and wake time", parked},
    workload{"pingpong", "two fibers, two unbuffered channels, n round trips", ping_pong},
    workload{"pool", "P fibers put one object into a pool and get one, n times in all", pool_put_get},
    workload{"quicksort", "n numbers (1000000) by parallel_invoke of the parts", fork_quicksort},
    workload{"resp", "server of Redis's SET, GET, PING on -addr for -ms, or until it is killed", resp},
    workload{"ring", "-fibers fibers (10000) in a ring pass one token n rounds (100)", ring},
    workload{"rwmutex", "read lock twice, then write lock, P fibers with a lock each, n times in all", rw_alone},
    workload{"rwmutexread", "P fibers read-lock and unlock one lock, n times in all", rw_read},
    workload{"rwmutexwrite100", "as rwmutexread, every 100th time a write lock", rw_write_100},
    workload{"select2", "select on two unbuffered channels with a producer each, n items", select_of_two},
    workload{"selectdefault", "select with otherwise on an empty channel, n times", select_otherwise},
    workload{"sieve", "concurrent prime sieve, first n primes (2000)", sieve},
    workload{"skynet", "10-ary tree to n leaves (1000000) summed over channels", skynet},
    workload{"sleepers", "-fibers fibers (100000) each sleep a random 1-100 ms, n times (5, at least 2)", sleepers},
    workload{"spawnbatch", "spawn n empty fibers, joined -fibers (1000) at a time", spawn_batch},
    workload{"spawnone", "spawn one empty fiber and join it, n times", spawn_one},
    workload{"spsc", "one producer, one consumer, channel of -cap (128), n items", one_to_one},
    workload{"tickers", "a fiber per P with a 10 ms ticker, for -ms (1000): CPU used", tickers},
    workload{"timer", "create and stop a one-hour timer, n times, beside -fibers (0) pending ones", arm_and_stop},
    workload{"waitgroup", "add, done and wait, P fibers with a group each, n times in all", wait_group_alone},
    workload{"wakeups", "a fiber that wakes every millisecond for -ms (1000): CPU used", wake_ups},
    workload{"yield", "-fibers fibers (2) each yield, n times in all", yield_fibers},
};

int list(std::FILE* out) {
  fmt::print(out, "usage: bench WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T] [-addr A]\n");
  for (const workload& w : workloads) fmt::print(out, "  {:<14} {}\n", w.name, w.what);
  return out == stdout ? 0 : 2;
}

void print(const workload& w, const params& a, const result& r, double cpu) {
  const auto ns = static_cast<double>(r.elapsed.count());
  fmt::print(R"({{"name":"{}","rival":"weft","p":{},"op":"{}","ops":{},"ns_per_op":{:.3f},"ms":{:.3f},"cpu_s":{:.4f})",
             w.name, a.p, r.op, r.ops, ns / static_cast<double>(std::max<std::int64_t>(r.ops, 1)), ns / 1e6, cpu);
  for (const auto& [key, value] : r.extra) {
    if (const auto* i = std::get_if<std::int64_t>(&value)) fmt::print(R"(,"{}":{})", key, *i);
    else fmt::print(R"(,"{}":{:.3f})", key, std::get<double>(value));
  }
  fmt::print("}}\n");
}

// -fibers, --fibers, -p and --p are all welcome; the parser knows --fibers and -p.
std::string with_right_dashes(const std::string& arg) {
  const auto name_at = arg.find_first_not_of('-');
  if (name_at == 0 || name_at == std::string::npos || name_at > 2) return arg;
  if (std::isdigit(static_cast<unsigned char>(arg[name_at]))) return arg;
  const std::string name = arg.substr(name_at, arg.find('=') - name_at);
  return (name.size() == 1 ? "-" : "--") + arg.substr(name_at);
}

int main_of(std::vector<std::string> args) {
  if (args.empty()) return list(stderr);
  if (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") return list(stdout);
  const auto* w =
      std::find_if(workloads.begin(), workloads.end(), [&](const workload& x) { return x.name == args[0]; });
  if (w == workloads.end()) {
    fmt::print(stderr, "bench: unknown workload '{}'; without arguments bench lists them\n", args[0]);
    return 2;
  }
  params a;
  CLI::App app(w->what, fmt::format("bench {}", w->name));
  constexpr std::int64_t most = 1'000'000'000;
  app.add_option("-p", a.p, "Ps")->check(CLI::Range(1, 1024));
  app.add_option("-n", a.n, "operations (0: the workload's default)")->check(CLI::Range(std::int64_t{0}, most * 100));
  app.add_option("--fibers", a.fibers, "fibers (0: the workload's default)")->check(CLI::Range(std::int64_t{0}, most));
  app.add_option("--cap", a.cap, "channel capacity")->check(CLI::Range(std::int64_t{0}, most));
  app.add_option("--ms", a.ms, "milliseconds (0: the workload's default)")->check(CLI::Range(std::int64_t{0}, most));
  app.add_option("--addr", a.addr, "where a server listens");
  std::vector<std::string> rest(args.rbegin(), args.rend() - 1);
  for (std::string& arg : rest) arg = with_right_dashes(arg);
  try {
    app.parse(rest);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return 0;
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "bench {}: {}\n", w->name, e.what());
    return 2;
  }
  weft::run({.maxprocs = a.p}, [&] {
    const double cpu = cpu_seconds();
    const result r = w->run(a);
    print(*w, a, r, cpu_seconds() - cpu);
  });
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::main_of({argv + 1, argv + argc}); }
