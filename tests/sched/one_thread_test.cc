// Steps that need a thread, where none may be made and the program can run without.
#include <weft/weft.h>

#include <unistd.h>

#include <thread>

#include "tests/support/facts.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// The monitor would take the P of a fiber that computes, or sleeps in the kernel, and give it to
// another thread.
template <class F>
void with_threads(int threads, F busy) {
  for (const int procs : {1, 2, 4}) {
    const hang_guard guard("a world with few threads");
    options o;
    o.maxprocs = procs;
    o.max_threads = threads;
    in_world(o, [&] {
      wait_group all;
      for (int i = 0; i < 10; ++i) all.go([&] { busy(); });
      busy();
      all.wait();
    });
  }
  report_broken_fact();
}

void compute() {
  const time_point end = now() + 25ms;
  while (now() < end) {
  }
}

}  // namespace

TEST_CASE("no P is taken from a fiber that computes where no thread may run it", "[sched][threads]") {
  with_threads(1, compute);
  with_threads(2, compute);
}

TEST_CASE("no P is taken from a fiber that sleeps in the kernel where no thread may run it", "[sched][threads]") {
  with_threads(1, [] { usleep(5000); });
  with_threads(2, [] { usleep(5000); });
}

TEST_CASE("files are used where no thread may be made beside the one there is", "[sched][threads]") {
  for (const poller_kind kind : {poller_kind::io_uring, poller_kind::epoll}) {
    const hang_guard guard("files with one thread");
    in_world(options{.maxprocs = 2, .max_threads = 1, .poller = kind}, [] {
      wait_group all;
      for (int i = 0; i < 20; ++i)
        all.go([] {
          FACT(!fs::stat("/").err);
          FACT(!fs::read_file("/etc/passwd").value.empty());
        });
      all.wait();
    });
  }
  report_broken_fact();
}
