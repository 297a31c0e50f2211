#include "sched/diagnosis/reporter.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/clock.h"
#include "runtime/fatal.h"
#include "runtime/futex.h"
#include "sched/threads.h"

namespace weft::detail {
namespace {

constinit std::atomic<report_job*> job_at_hand{nullptr};
sem_t wanted;

void* reporter_main(void*) {
  pthread_setname_np(pthread_self(), "weft-reporter");
  for (;;) {
    while (sem_wait(&wanted) != 0) {
    }
    report_job* job = job_at_hand.load(std::memory_order_acquire);  // [report] the handler's record
    if (!job) continue;
    job->work(*job);
    job_at_hand.store(nullptr, std::memory_order_release);  // [report]
    job->done.store(1, std::memory_order_release);  // [report] all output, before the process may end
    futex_wake(job->done, 1);
  }
}

}  // namespace

// Note [report]: the handler writes its notes, then releases the job into the slot; the reporter
// acquires it. The reporter releases `done` after its last write; the handler that acquires it ends
// the process then. It releases the empty slot after its last look at the world; run() acquires
// that before the world is freed.

void start_reporter() noexcept {
  if (reporter_threads()) return;
  sem_init(&wanted, 0, 0);
  job_at_hand.store(nullptr, std::memory_order_relaxed);
  // It inherits the mask: no handler of the program is ever run on it.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = start_detached(reporter_main, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed) log_line("cannot start the reporter thread: crashes and SIGQUIT will not be explained");
  else reporter_started();
}

void wait_for_idle_reporter() noexcept {
  if (!reporter_threads()) return;
  // [report] the reporter no longer uses the world
  while (job_at_hand.load(std::memory_order_acquire)) usleep(100);
}

bool hand_to_reporter(report_job& job) noexcept {
  if (!reporter_threads()) return false;
  report_job* none = nullptr;
  // [report]
  if (!job_at_hand.compare_exchange_strong(none, &job, std::memory_order_release, std::memory_order_relaxed))
    return false;
  sem_post(&wanted);
  return true;
}

bool wait_for_reporter(report_job& job, std::int64_t patience_ns) noexcept {
  const std::int64_t until = now_ns() + patience_ns;
  while (job.done.load(std::memory_order_acquire) == 0) {  // [report]
    futex_wait(job.done, 0, until);
    if (now_ns() >= until) return false;
  }
  return true;
}

}  // namespace weft::detail
