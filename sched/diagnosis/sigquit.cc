#include "sched/diagnosis/sigquit.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "runtime/clock.h"
#include "runtime/futex.h"
#include "sched/blocking.h"
#include "sched/current.h"
#include "sched/deadlock.h"
#include "sched/diagnosis/crash.h"
#include "sched/diagnosis/dump.h"
#include "sched/diagnosis/reporter.h"
#include "sched/diagnosis/wait_cycles.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// A request to a thread for the stack of the fiber that it runs.
struct stack_request {
  long tid = 0;
  std::uint64_t id = 0;  // of the fiber; 0: it ran none
  frame_list frames;
  std::atomic<std::uint32_t> done{0};  // futex
};
constinit std::atomic<stack_request*> asked{nullptr};

void answer(stack_request& request, const void* context) noexcept {
  const M* m = this_m_in_any_call();
  const G* g = m ? m->g : nullptr;
  const frame_registers r = interrupted_registers(context);
  if (g) {
    const std::uintptr_t sp = r[frame_registers::sp];
    const fiber_stacks stacks = stacks_of(g->where, sp);
    if (sp >= stacks.inner.low && sp < stacks.inner.high) {
      request.id = g->id;
      walk(r, pc_kind::exact, stacks, request.frames);
    }
  }
  request.done.store(1, std::memory_order_release);  // [answer] the frames before `done`
  futex_wake(request.done, 1);
}

// Null if the thread has not answered in time. The request is abandoned then, not freed.
stack_request* ask(long tid) {
  constexpr std::int64_t patience_ns = 500'000'000;
  auto* request = new stack_request;
  request->tid = tid;
  asked.store(request, std::memory_order_release);  // [answer] the request, before the signal
  if (syscall(SYS_tgkill, getpid(), tid, SIGQUIT) != 0) return nullptr;
  const std::int64_t until = now_ns() + patience_ns;
  while (request->done.load(std::memory_order_acquire) == 0) {  // [answer]
    futex_wait(request->done, 0, until);
    if (now_ns() >= until) return nullptr;
  }
  return request;
}

// Note [answer]: the request is released into `asked` and acquired by the handler; its frames are
// released by `done` and acquired by the reporter.

std::vector<long> threads_with_fibers(world& w) {
  std::vector<long> tids;
  const std::lock_guard hold(w.lock);
  for (const M* m : w.all_ms)
    if (!m->is_idle) tids.push_back(m->tid);
  return tids;
}

bool lacks_stack(const fiber_view& f) noexcept { return f.started && f.frames.empty(); }

void add_running_stacks(world& w, std::vector<fiber_view>& fibers) {
  for (const long tid : threads_with_fibers(w)) {
    const stack_request* answered = ask(tid);
    if (!answered || answered->id == 0) continue;
    for (fiber_view& f : fibers) {
      if (f.id != answered->id) continue;
      f.frames = answered->frames.kept();
      f.left_out = answered->frames.left_out();
    }
  }
}

// A fiber that parks after it was listed, and before its thread gets the signal, has a stack in the
// next list.
std::vector<fiber_view> list_with_running_stacks(world& w) {
  constexpr int looks = 3;
  constexpr timespec pause{0, 1'000'000};
  std::vector<fiber_view> all;
  for (int i = 0; i < looks; ++i) {
    if (i > 0) nanosleep(&pause, nullptr);
    std::vector<fiber_view> now = list_fibers(w);
    add_running_stacks(w, now);
    const auto without = [](const std::vector<fiber_view>& l) {
      return std::count_if(l.begin(), l.end(), lacks_stack);
    };
    if (i == 0 || without(now) < without(all)) all = std::move(now);
    if (without(all) == 0) break;
  }
  return all;
}

void print_sigquit(report_job& job);
report_job the_sigquit{.work = print_sigquit};

void print_sigquit(report_job&) {
  world* w = the_world();
  if (!w) return;  // it has just ended
  const bool ends_process = !w->debug.sigquit_continues;
  std::fputs("SIGQUIT: quit\n\n", stderr);
  if (const std::string foreign = describe_foreign_threads(*w); !foreign.empty())
    std::fprintf(stderr, "%s\n\n", foreign.c_str());
  // TSan holds signals back until the thread calls something, so no thread would answer for long.
  const auto fibers = ends_process && !under_tsan ? list_with_running_stacks(*w) : list_fibers(*w);
  const std::string text = describe_cycles(fibers) + describe_fibers(fibers);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  if (ends_process) _exit(2);
}

void on_sigquit(int, siginfo_t*, void* context) {
  const int saved_errno = errno;
  stack_request* request = asked.load(std::memory_order_acquire);  // [answer]
  if (request && request->tid == syscall(SYS_gettid)) answer(*request, context);
  else hand_to_reporter(the_sigquit);
  errno = saved_errno;
}

struct sigaction before;
bool installed = false;

// A shell starts background jobs with SIGQUIT ignored. The program did not decide that, so the dump
// is printed, as in Go. A program that ignores SIGQUIT itself does so after its start.
bool is_ignored() noexcept {
  struct sigaction now {};
  return sigaction(SIGQUIT, nullptr, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}
const bool ignored_at_start = is_ignored();

}  // namespace

void install_sigquit_handler() noexcept {
  struct sigaction now {};
  if (sigaction(SIGQUIT, nullptr, &now) != 0 || (now.sa_flags & SA_SIGINFO)) return;
  const bool inherited = now.sa_handler == SIG_IGN && ignored_at_start;
  if (now.sa_handler != SIG_DFL && !inherited) return;
  struct sigaction ours {};
  ours.sa_sigaction = on_sigquit;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&ours.sa_mask);
  installed = sigaction(SIGQUIT, &ours, &before) == 0;
}

void uninstall_sigquit_handler() noexcept {
  if (installed) restore_handler(SIGQUIT, on_sigquit, before);
  installed = false;
}

}  // namespace weft::detail
