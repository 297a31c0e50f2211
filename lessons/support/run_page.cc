#include "lessons/support/run_page.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "lessons/support/html_page.h"
#include "lessons/support/machine.h"
#include "lessons/support/recorded_run.h"
#include "lessons/support/report.h"
#include "lessons/support/terminal.h"

extern char** environ;

namespace lesson {
namespace {

run_flags given;  // what the program of the moment reads

// print() writes past stdio, so what stdio holds must be written first.
void show(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// Waits for the fibers that end, however slow the machine is. Where some are meant to stay it looks
// once more.
void settle(const traits& expected) {
  using namespace std::chrono_literals;
  const auto left = [] { return static_cast<int>(weft::num_fibers()) - 1; };
  for (int waited = 0; left() > expected.leaks && waited < 10'000; ++waited) weft::sleep(1ms);
  if (expected.leaks > 0) weft::sleep(scaled(expected.later));
  println("fibers left: {}", left());
}

void body(const variant& v) {
  v.main();
  if (v.expected.end == at_end::settle) settle(v.expected);
}

terminal screen_of(const run_flags& flags) {
  terminal t = stdout_terminal();
  if (flags.width > 0) {
    t.width = flags.width;
    t.wraps = true;
  }
  return t;
}

void use(const page& of, const run_flags& flags) {
  given = flags;
  if (!given.work) given.work = of.shown.work;
}

int procs_of(const variant& v, const run_flags& flags) {
  return flags.maxprocs > 0 ? flags.maxprocs : v.expected.maxprocs;
}

// Writes the page of these runs. Returns the exit status.
int write_page(const page& of, std::string_view title, std::span<const titled_run> runs, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  out << html_page(fmt::format("{} {}: {}", of.id, of.name, title), runs);
  if (out.flush()) return 0;
  fmt::print(stderr, "lesson {}: cannot write {}\n", of.id, file);
  return 1;
}

titled_run run_recorded(const page& of, const variant& v, const run_flags& flags, const screen& s) {
  const on_one_cpu bound(v.expected.one_cpu);
  stalled_hook stalled;
  if (!flags.html.empty() && !of.shown.columns)
    stalled = [&](const record& r) {
      const titled_run so_far{std::string(v.name), std::string(v.title), r, v.expected.pictured};
      write_page(of, v.title, {&so_far, 1}, flags.html);
    };
  return {std::string(v.name), std::string(v.title), recorded_run([&] { body(v); }, procs_of(v, flags), s, stalled),
          v.expected.pictured};
}

// Runs a program --repeat times and reports. Returns its first run.
titled_run draw(const page& of, const variant& v, const run_flags& flags, const terminal& t) {
  cast who;
  std::optional<titled_run> first;
  for (int i = 1; i <= flags.repeat; ++i) {
    const bool loud = i == 1 && !flags.json && v.expected.shown == paper::live;
    titled_run run = run_recorded(of, v, flags, loud ? screen{&t, &who} : screen{});
    if (flags.json) {
      show(as_json(of.id, run));
    } else if (i > 1) {
      show(short_report(i, count(run.what)));
    } else {
      if (v.expected.shown == paper::condensed) show(condensed(run.what, t));
      if (flags.picture || v.expected.pictured) show(report(run, t, who));
    }
    if (!first) first = std::move(run);
  }
  return std::move(*first);
}

bool is_recorded(const variant& v, const run_flags& flags) {
  return flags.picture || flags.json || !flags.html.empty() || flags.repeat > 1 || v.expected.pictured;
}

// The share of the CPU time that the fibers could use and that the program got.
double share_of_cpu(const titled_run& r) {
  const figures f = count(r.what);
  return static_cast<double>(f.cpu.count()) / static_cast<double>(std::max<long>(f.could_use.count(), 1));
}

// Runs a program again while other programs take its CPU time, up to five times. Returns the run
// with the most.
titled_run least_disturbed(const page& of, const variant& v, const run_flags& flags) {
  titled_run best = run_recorded(of, v, flags, {});
  for (int i = 1; i < 5 && machine_is_busy(count(best.what)); ++i) {
    titled_run again = run_recorded(of, v, flags, {});
    if (share_of_cpu(again) > share_of_cpu(best)) best = std::move(again);
  }
  return best;
}

int run_columns(const page& of, const run_flags& flags, const terminal& t) {
  std::vector<titled_run> runs;
  for (const variant& v : of.variants) runs.push_back(least_disturbed(of, v, flags));
  if (flags.json)
    for (const titled_run& r : runs) show(as_json(of.id, r));
  else show(columns(runs, t));
  return flags.html.empty() ? 0 : write_page(of, "the runs beside each other", runs, flags.html);
}

int run_pictured(const page& of, const run_flags& flags, const terminal& t) {
  std::vector<titled_run> runs;
  std::vector<figures> all;
  for (const variant& v : of.variants) {
    if (!flags.json) show(heading(v.name, v.title, procs_of(v, flags), t));
    runs.push_back(draw(of, v, flags, t));
    all.push_back(count(runs.back().what));
    if (!flags.json) show("\n");
  }
  if (!flags.json && of.shown.compare) show(t.bold(wrapped(of.shown.compare(all), t.width - 1, 2)) + "\n");
  return flags.html.empty() ? 0 : write_page(of, "its programs beside each other", runs, flags.html);
}

int run_in_child(const variant& v, char** args) {
  std::string choice = fmt::format("--variant={}", v.name);
  std::vector<char*> argv;
  for (; *args; ++args) argv.push_back(*args);
  argv.push_back(choice.data());
  argv.push_back(nullptr);
  // Ctrl-C ends the program that runs, and the next program follows. It may come as soon as there
  // is a child.
  posix_spawnattr_t in_child{};
  sigset_t by_default{};
  sigemptyset(&by_default);
  sigaddset(&by_default, SIGINT);
  posix_spawnattr_init(&in_child);
  posix_spawnattr_setsigdefault(&in_child, &by_default);
  posix_spawnattr_setflags(&in_child, POSIX_SPAWN_SETSIGDEF);
  std::signal(SIGINT, SIG_IGN);
  pid_t child = 0;
  int status = 0;
  const bool made = posix_spawn(&child, "/proc/self/exe", nullptr, &in_child, argv.data(), environ) == 0;
  if (made) waitpid(child, &status, 0);
  std::signal(SIGINT, SIG_DFL);
  posix_spawnattr_destroy(&in_child);
  if (!made) return 127;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

weft::duration scaled(weft::duration d) {
  return weft::duration(std::llround(static_cast<double>(d.count()) * given.scale));
}
int yield_every() { return given.yield_every; }
int work_per_step() { return given.work.value_or(0); }
std::string app_address(std::string_view host) { return fmt::format("{}:{}", host, given.port); }
std::string debug_address() { return fmt::format("127.0.0.1:{}", given.debug_port); }

long stopwatch::ms() const {
  const double ns = static_cast<double>((weft::now() - began_).count());
  return static_cast<long>(ns / 1e6 / given.scale + 1e-6);
}

int run_variant(const page& of, const variant& v, const run_flags& flags) {
  use(of, flags);
  if (is_recorded(v, flags)) {
    const terminal t = screen_of(flags);
    if (v.expected.pictured && !flags.json) show(heading(v.name, v.title, procs_of(v, flags), t));
    const titled_run first = draw(of, v, flags, t);
    return flags.html.empty() ? 0 : write_page(of, v.title, {&first, 1}, flags.html);
  }
  const on_one_cpu bound(v.expected.one_cpu);
  weft::options o;
  o.maxprocs = procs_of(v, flags);
  return weft::run(o, [&] { body(v); });
}

int run_all(const page& of, const run_flags& flags, char** args) {
  use(of, flags);
  const terminal t = screen_of(flags);
  if (of.shown.columns) return run_columns(of, flags, t);
  if (of.variants.front().expected.pictured) return run_pictured(of, flags, t);
  for (const variant& v : of.variants) {
    if (!flags.json) show(heading(v.name, v.title, 0, t));
    const int status = run_in_child(v, args);
    if (status == 128 + SIGINT) show("(stopped)\n");
    else if (status != 0) show(fmt::format("(exit status {})\n", status));
    if (!flags.json) show("\n");
  }
  return 0;
}

}  // namespace lesson
