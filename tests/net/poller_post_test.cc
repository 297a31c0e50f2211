// Who sleeps in the poller: an M that could do something about what comes.
#include <dirent.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "tests/net/on_each_poller.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// Nanoseconds on a CPU, by thread of this process.
std::map<std::string, long long> cpu_by_thread() {
  std::map<std::string, long long> all;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* e = readdir(tasks)) {
    if (e->d_name[0] == '.') continue;
    std::ifstream stat("/proc/self/task/" + std::string(e->d_name) + "/schedstat");
    if (long long ns = 0; stat >> ns) all[e->d_name] = ns;
  }
  closedir(tasks);
  return all;
}

// The calling thread, and the threads that it starts, share one CPU for as long as this lives.
class one_cpu {
 public:
  one_cpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  one_cpu(const one_cpu&) = delete;
  one_cpu& operator=(const one_cpu&) = delete;
  ~one_cpu() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

// Of the CPU time that f() takes, the part that is not of the busiest thread.
template <class F>
double part_of_others(F f) {
  auto before = cpu_by_thread();
  f();
  long long sum = 0, most = 0;
  for (const auto& [tid, ns] : cpu_by_thread()) {
    const long long spent = ns - before[tid];
    sum += spent;
    most = std::max(most, spent);
  }
  return static_cast<double>(sum - most) / static_cast<double>(sum);
}

}  // namespace

// It had gone to sleep there again after each time, and woken for what the other M was about to
// take itself.
TEST_CASE("an M without a P does not take what comes away from the one that runs", "[net][poller][order]") {
  if (sanitized) return;  // they have threads of their own
  const hang_guard guard("a message to and fro");
  const one_cpu there;  // where the effect is largest
  options o;
  o.maxprocs = 1;
  o.poller = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  in_world(o, [] {
    auto [a, b] = tcp_pair();
    wait_group echo;
    echo.go([b = b] {
      while (auto got = b.receive())
        if (b.write(got.value).err) return;
    });
    // Under load the fibers may go over to another thread in between.
    double least = 1;
    for (int attempt = 0; attempt < 10 && least > 0.1; ++attempt) {
      // Another M gets the P, finds nothing to run and sleeps in the poller; then this one is back
      // and takes the P.
      blocking([] { std::this_thread::sleep_for(10ms); });
      least = std::min(least, part_of_others([&] {
                         for (int i = 0; i < 2000; ++i) {
                           FACT(!a.write("x").err);
                           FACT(read_up_to(a, 1) == "x");
                         }
                       }));
    }
    FACT(least <= 0.1);
    FACT(!a.close());
    echo.wait();
  });
  report_broken_fact();
}
