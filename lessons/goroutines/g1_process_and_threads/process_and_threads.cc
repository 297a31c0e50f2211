// G1: a process, its threads, and the fibers that run on them.
#include <unistd.h>

#include <mutex>
#include <set>

#include "lessons/support/machine.h"
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Kernel threads, as the fibers see them. The main thread's id is the process id.
class thread_ids {
 public:
  void add_mine() {
    const pid_t id = gettid();  // before the lock: a fiber that waits for it may change threads
    const std::lock_guard hold(lock_);
    ids_.insert(id);
  }
  std::size_t count() const { return ids_.size(); }

 private:
  mutex lock_;  // a std::mutex would block the thread, and weft would start another one
  std::set<pid_t> ids_;
};

// Each fiber blocks its thread for a moment, so each needs a thread.
void threads() {
  constexpr int fibers = 4;
  println("main starts on the {} thread of the process", gettid() == getpid() ? "first" : "second");
  thread_ids ids;
  wait_group all;
  for (int i = 0; i < fibers; ++i)
    all.go([&] {
      blocking([&] {
        ids.add_mine();
        usleep(50'000);
      });
    });
  all.wait();
  println("{} blocking fibers ran on {} threads of one process", fibers, ids.count());
}

// The main fiber returns while another fiber still works.
void main_ends() {
  go([] {
    sleep(lesson::scaled(100ms));
    println("this line is never printed");
  });
  println("main returns");
}

// Fibers that wait use no thread.
void many() {
  constexpr int fibers = 10'000;
  thread_ids ids;
  const auto gate = make_chan<void>();
  wait_group all;
  for (int i = 0; i < fibers; ++i)
    all.go([&, gate] {
      gate.recv();
      ids.add_mine();
    });
  yield();
  println("{} fibers exist", num_fibers() - 1);
  gate.close();
  all.wait();
  println("they ran on {} threads for {} {}", ids.count(), maxprocs(), maxprocs() == 1 ? "P" : "Ps");
}

// What taskset changes: the CPUs of the process, and with them the number of Ps that weft takes by
// itself.
void cpus() {
  println("{} Ps, and the affinity mask has as many CPUs as weft counts: {}", maxprocs(),
          lesson::cpus_in_mask() == num_cpu());
}

const lesson::page page{"G1",
                        "process_and_threads",
                        {{"threads", "fibers that block their threads", threads},
                         {"main-ends", "the end of main ends all", main_ends, {.end = lesson::at_end::leave}},
                         {"many", "10,000 fibers on as many threads as Ps", many},
                         {"cpus", "Ps and CPUs", cpus}}};

}  // namespace
