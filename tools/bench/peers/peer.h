// What the C++ peers share: the command line, the clock, and the line of JSON.
#pragma once
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <utility>
#include <vector>

namespace peer {

// The command line's numbers; 0: the workload's own default.
struct params {
  int p = 1;
  std::int64_t n = 0, fibers = 0, cap = 128, ms = 0;

  std::int64_t count(std::int64_t otherwise) const { return n > 0 ? n : otherwise; }
  std::int64_t crowd(std::int64_t otherwise) const { return fibers > 0 ? fibers : otherwise; }
};

using clock = std::chrono::steady_clock;

struct result {
  const char* op;
  std::int64_t ops;
  clock::duration elapsed;
  std::vector<std::pair<const char*, double>> extra{};
};

struct workload {
  const char* name;
  const char* what;
  result (*run)(const params&);
};

inline double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

inline std::int64_t rss_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Lets the process, and every thread it makes from now on, use `p` CPUs.
inline void use_cpus(int p) {
  cpu_set_t had, set;
  sched_getaffinity(0, sizeof had, &had);
  CPU_ZERO(&set);
  for (int cpu = 0, left = p; cpu < CPU_SETSIZE && left > 0; ++cpu)
    if (CPU_ISSET(cpu, &had)) {
      CPU_SET(cpu, &set);
      --left;
    }
  sched_setaffinity(0, sizeof set, &set);
}

// A small random source, so that 100,000 of them cost little memory.
struct splitmix {
  std::uint64_t s;
  std::uint64_t next() {
    s += 0x9e3779b97f4a7c15;
    std::uint64_t z = s;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

// What `sleepers` reports: the CPU per sleep, and the lateness of all sleeps in microseconds.
inline result slept(std::vector<std::int32_t> late, std::int64_t sleeps, clock::duration d, double cpu) {
  std::sort(late.begin(), late.end());
  const auto at = [&](std::size_t percent) {
    return double(late[std::min(late.size() - 1, late.size() * percent / 100)]);
  };
  return {"sleep",
          sleeps,
          d,
          {{"cpu_ns_per_op", cpu * 1e9 / double(sleeps)}, {"over_p50_us", at(50)}, {"over_p99_us", at(99)}}};
}

// What `parked` reports of k fibers.
inline result stood(std::int64_t k, clock::duration created, clock::duration woken, std::int64_t bytes) {
  const auto ns = [k](clock::duration d) { return double(std::chrono::nanoseconds(d).count()) / double(k); };
  return {"create",
          k,
          created,
          {{"rss_per_fiber", double(bytes) / double(k)}, {"create_ns", ns(created)}, {"wake_ns", ns(woken)}}};
}

// The CPU used while f(d) runs, after a first run of 50 ms that makes the threads; f returns how
// often something happened.
template <class F>
result at_rest(const params& a, F f) {
  f(std::chrono::milliseconds(50));
  const double before = cpu_seconds();
  const auto began = clock::now();
  const std::int64_t times = f(std::chrono::milliseconds(a.ms > 0 ? a.ms : 1000));
  const auto d = clock::now() - began;
  const double used = cpu_seconds() - before;
  return {"event", times, d, {{"cpu_us_per_s", used * 1e6 / std::chrono::duration<double>(d).count()}}};
}

inline int usage(std::FILE* out, std::initializer_list<workload> all) {
  std::fprintf(out, "usage: peer WORKLOAD [-p P] [-n N] [-fibers K] [-cap C] [-ms T]\n");
  for (const workload& w : all) std::fprintf(out, "  %-14s %s\n", w.name, w.what);
  return out == stdout ? 0 : 2;
}

inline bool parse(params& a, int argc, char** argv) {
  for (int i = 2; i < argc; i += 2) {
    const auto is = [&](const char* flag) { return std::strcmp(argv[i], flag) == 0; };
    if (i + 1 >= argc) return false;
    const std::int64_t value = std::atoll(argv[i + 1]);
    if (is("-p")) a.p = int(value);
    else if (is("-n")) a.n = value;
    else if (is("-fibers")) a.fibers = value;
    else if (is("-cap")) a.cap = value;
    else if (is("-ms")) a.ms = value;
    else return false;
  }
  return a.p > 0;
}

// `around(a, f)` starts the runtime with a.p workers and calls f in it.
template <class Around>
int main_of(int argc, char** argv, const char* name, std::initializer_list<workload> all, Around around) {
  if (argc < 2) return usage(stderr, all);
  if (std::strcmp(argv[1], "--help") == 0) return usage(stdout, all);
  params a;
  const auto* w =
      std::find_if(all.begin(), all.end(), [&](const workload& x) { return !std::strcmp(x.name, argv[1]); });
  if (w == all.end() || !parse(a, argc, argv)) return usage(stderr, all);
  around(a, [&] {
    const double before = cpu_seconds();
    const result r = w->run(a);
    const double cpu = cpu_seconds() - before;
    const auto ns = double(std::chrono::nanoseconds(r.elapsed).count());
    std::printf(R"({"name":"%s","rival":"%s","p":%d,"op":"%s","ops":%lld,"ns_per_op":%.3f,"ms":%.3f,"cpu_s":%.4f)",
                w->name, name, a.p, r.op, static_cast<long long>(r.ops), ns / double(std::max<std::int64_t>(r.ops, 1)),
                ns / 1e6, cpu);
    for (const auto& [key, value] : r.extra) std::printf(R"(,"%s":%.3f)", key, value);
    std::printf("}\n");
    std::fflush(stdout);
  });
  return 0;
}

}  // namespace peer
