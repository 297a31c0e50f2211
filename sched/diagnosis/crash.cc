#include "sched/diagnosis/crash.h"

#include <execinfo.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "runtime/borrowed_stacks.h"
#include "sched/blocking.h"
#include "sched/diagnosis/dump.h"
#include "sched/diagnosis/fatal_exit.h"
#include "sched/diagnosis/reporter.h"
#include "sched/g.h"
#include "sched/m.h"

namespace weft::detail {
namespace {

// The facts that the handler records. One a process.
struct crash_report : report_job {
  int sig = 0;
  bool overflow = false, borrowed = false;
  std::uintptr_t address = 0, sp = 0, pc = 0, low = 0, high = 0;
  std::uint64_t id = 0;
  std::size_t stack_size = 0;
  const void* site = nullptr;
  std::array<char, 100> name{};
  frame_list frames;
};

void print_crash(report_job& job);

constinit std::atomic<bool> crashed{false};
crash_report the_crash{{.work = print_crash}};

struct caught_signal {
  int sig;
  struct sigaction old;
  bool installed;
};
caught_signal caught[] = {
    {SIGSEGV, {}, false}, {SIGBUS, {}, false}, {SIGFPE, {}, false}, {SIGILL, {}, false}, {SIGABRT, {}, false}};

const struct sigaction& old_action(int sig) noexcept {
  return std::find_if(std::begin(caught), std::end(caught), [sig](const auto& c) { return c.sig == sig; })->old;
}

bool has_handler(const struct sigaction& a) noexcept {
  return (a.sa_flags & SA_SIGINFO) ? a.sa_sigaction != nullptr : a.sa_handler != SIG_DFL && a.sa_handler != SIG_IGN;
}

void call_handler(const struct sigaction& a, int sig, siginfo_t* info, void* context) {
  if (a.sa_flags & SA_SIGINFO) a.sa_sigaction(sig, info, context);
  else a.sa_handler(sig);
}

std::string headline(const crash_report& c) {
  if (c.overflow) return "fatal error: stack overflow\n\n";
  if (c.sig == SIGABRT) return "fatal error: SIGABRT\n\n";
  return fmt::format("fatal error: SIG{} ({}) at address {:#x}, pc {:#x}\n\n", sigabbrev_np(c.sig), strsignal(c.sig),
                     c.address, c.pc);
}

std::string describe_crashed(const crash_report& c, const fiber_view& f) {
  std::string text = fmt::format("fiber {}{}{} [running]:\n", f.id, f.name.empty() ? "" : " ", f.name);
  if (c.overflow)
    text += fmt::format(
        "\tits stack of {} bytes is used up: {}\n"
        "\tstack [{:#x}, {:#x}), sp {:#x}, address {:#x}\n",
        c.stack_size,
        c.borrowed ? "call weft::with_stack with more"
                   : "raise options.stack_size, or fiber_options.stack_size for it alone, or call the deep function by "
                     "weft::with_stack",
        c.low, c.high, c.sp, c.address);
  return text + describe_stack(f);
}

void print_crash(report_job& job) {
  const auto& c = static_cast<crash_report&>(job);
  fiber_view f;
  f.id = c.id;
  f.state = g_state::running;
  f.name = c.name.data();
  f.site = c.site;
  f.frames = c.frames.kept();
  f.left_out = c.frames.left_out();
  f.ancestors = ancestors_of(c.id);
  std::string text = headline(c);
  if (traceback_level() != traceback::none) text += describe_crashed(c, f);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  const std::string others = describe_other_fibers(c.id);  // it may have to wait for a lock that the crash holds
  std::fwrite(others.data(), 1, others.size(), stderr);
  std::fflush(stderr);
}

// Without the reporter: the text that a handler can print itself.
void print_crash_raw(const crash_report& c) noexcept {
  static const char overflow[] = "fatal error: stack overflow in a fiber\n",
                    other[] = "fatal error: a fiber has crashed\n";
  [[maybe_unused]] ssize_t n =
      c.overflow ? write(STDERR_FILENO, overflow, sizeof overflow - 1) : write(STDERR_FILENO, other, sizeof other - 1);
  for (const std::uintptr_t pc : c.frames.first()) {
    auto* address = reinterpret_cast<void*>(pc);
    if (pc) backtrace_symbols_fd(&address, 1, STDERR_FILENO);
  }
}

// The stack that `sp` lies on or has left downwards: the fiber's own, or that of with_stack().
stack stack_in_use(const G& g, std::uintptr_t sp) noexcept {
  const stack borrowed = borrowed_stack_at(sp);
  return borrowed.arena ? borrowed : g.where;
}

// Returns true if the access was to the guard, or below it from a
// frame larger than the guard.
bool is_overflow(const G& g, std::uintptr_t address, std::uintptr_t sp) noexcept {
  constexpr std::uintptr_t near = 1 << 20;
  const stack on = stack_in_use(g, sp);
  const auto guard = reinterpret_cast<std::uintptr_t>(on.guard());
  const auto bottom = reinterpret_cast<std::uintptr_t>(on.bottom);
  if (address >= guard && address < bottom) return true;
  return sp < bottom + 64 && sp > guard - near && address < bottom && address > guard - near;
}

void record_crash(const G& g, int sig, bool overflow, std::uintptr_t address, const frame_registers& r) noexcept {
  crash_report& c = the_crash;
  c.sig = sig;
  c.overflow = overflow;
  c.address = address;
  c.sp = r[frame_registers::sp];
  c.pc = r[frame_registers::pc];
  const stack on = stack_in_use(g, c.sp);
  c.low = reinterpret_cast<std::uintptr_t>(on.bottom);
  c.high = reinterpret_cast<std::uintptr_t>(on.bottom == g.where.bottom ? g.stack_top : on.top());
  c.id = g.id;
  c.stack_size = on.size();
  c.borrowed = on.bottom != g.where.bottom;
  c.site = g.site;
  if (const spawn_extras* e = extras_of(g.record)) {
    const std::size_t n = std::min(e->name.size(), c.name.size() - 1);
    std::copy_n(e->name.data(), n, c.name.data());
  }
  walk(r, pc_kind::exact, stacks_of(g.where, c.sp), c.frames);
}

// Reports the first crash. Other threads that crash wait until the process ends.
void report(const G& g, int sig, bool overflow, const siginfo_t* info, const frame_registers& r) noexcept {
  if (crashed.exchange(true, std::memory_order_relaxed))
    for (;;) pause();
  constexpr std::int64_t patience_ns = 20'000'000'000;
  record_crash(g, sig, overflow, reinterpret_cast<std::uintptr_t>(info->si_addr), r);
  if (!hand_to_reporter(the_crash) || !wait_for_reporter(the_crash, patience_ns)) print_crash_raw(the_crash);
}

// Ends the process by `sig` when the handler returns: the signal is sent again and stays pending
// until then, so a core file shows the interrupted instruction. To run that instruction again would
// not be enough, because the address that it faulted on may be mapped by now: the reporter
// allocates memory.
void take_default_action(int sig, const siginfo_t* info, void* context) noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  sigaction(sig, &by_default, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, sig);
  pthread_sigmask(SIG_BLOCK, &only, nullptr);
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sig, info) != 0) raise(sig);
  sigdelset(&static_cast<ucontext_t*>(context)->uc_sigmask, sig);
}

void on_crash(int sig, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const frame_registers r = interrupted_registers(context);
  const struct sigaction& old = old_action(sig);
  const M* m = this_m_in_any_call();
  const G* g = m ? m->g : nullptr;
  const bool overflow = g && (sig == SIGSEGV || sig == SIGBUS) &&
                        is_overflow(*g, reinterpret_cast<std::uintptr_t>(info->si_addr), r[frame_registers::sp]);
  if (overflow) {
    report(*g, sig, true, info, r);
    if (has_handler(old)) call_handler(old, sig, info, context);
    exit_by_error();
  }
  if (has_handler(old)) {
    call_handler(old, sig, info, context);
  } else {
    if (g) report(*g, sig, false, info, r);
    take_default_action(sig, info, context);
  }
  errno = saved_errno;
}

}  // namespace

void install_crash_handlers() noexcept {
  if (under_asan || under_tsan) return;
  for (caught_signal& c : caught) {
    struct sigaction ours {};
    ours.sa_sigaction = on_crash;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    c.installed = sigaction(c.sig, &ours, &c.old) == 0;
  }
}

void uninstall_crash_handlers() noexcept {
  for (caught_signal& c : caught)
    if (c.installed) restore_handler(c.sig, on_crash, c.old);
}

void restore_handler(int sig, void (*handler)(int, siginfo_t*, void*), const struct sigaction& old) noexcept {
  struct sigaction now {};
  if (sigaction(sig, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handler)
    sigaction(sig, &old, nullptr);
}

frame_registers interrupted_registers([[maybe_unused]] const void* ucontext) noexcept {
  frame_registers r;
#if defined(__x86_64__)
  const auto& from = static_cast<const ucontext_t*>(ucontext)->uc_mcontext.gregs;
  constexpr int order[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                           REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (std::size_t i = 0; i < frame_registers::count; ++i) r[i] = static_cast<std::uint64_t>(from[order[i]]);
#endif
  return r;
}

}  // namespace weft::detail
