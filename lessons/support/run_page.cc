#include "lessons/support/run_page.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "lessons/support/html_page.h"
#include "lessons/support/recorded_run.h"
#include "lessons/support/report.h"
#include "lessons/support/terminal.h"

extern char** environ;

namespace lesson {
namespace {

double scale = 1;
int port = 8080, debug_port = 8001;

// Waits for the fibers that will end by themselves, however slow the machine is, and looks once more
// where some are meant to stay.
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
  if (flags.width > 0) t.width = flags.width;
  return t;
}

int draw(const page& of, const variant& v, const run_flags& flags) {
  const terminal t = screen_of(flags);
  cast who;
  const record r = recorded_run([&] { body(v); }, flags.maxprocs, {&t, &who});
  if (flags.picture) {
    fmt::print("{}", report(r, t, who));
    std::fflush(stdout);
  }
  if (flags.html.empty()) return 0;
  std::ofstream file(flags.html, std::ios::binary);
  file << html_page(fmt::format("{} {}: {}", of.id, of.name, v.title), r);
  if (file.flush()) return 0;
  fmt::print(stderr, "lesson {}: cannot write {}\n", of.id, flags.html);
  return 1;
}

std::string heading(const variant& v, const terminal& t) {
  std::string line = fmt::format("-- {}: {} ", v.name, v.title);
  if (line.size() + 1 < static_cast<std::size_t>(t.width))
    line.append(static_cast<std::size_t>(t.width - 1) - line.size(), '-');
  return t.bold(line) + "\n";
}

int run_in_child(const variant& v, char** argv) {
  std::string choice = fmt::format("--variant={}", v.name);
  std::vector<char*> args;
  for (; *argv; ++argv) args.push_back(*argv);
  args.push_back(choice.data());
  args.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, args.data(), environ) != 0) return 127;
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

weft::duration scaled(weft::duration d) { return weft::duration(std::llround(static_cast<double>(d.count()) * scale)); }

std::string app_address(std::string_view host) { return fmt::format("{}:{}", host, port); }
std::string debug_address() { return fmt::format("127.0.0.1:{}", debug_port); }

long stopwatch::ms() const {
  const double ns = static_cast<double>((weft::now() - began_).count());
  return static_cast<long>(ns / 1e6 / scale + 1e-6);
}

int run_variant(const page& of, const variant& v, const run_flags& flags) {
  scale = flags.scale;
  port = flags.port;
  debug_port = flags.debug_port;
  if (flags.picture || !flags.html.empty()) return draw(of, v, flags);
  weft::options o;
  o.maxprocs = flags.maxprocs;
  return weft::run(o, [&] { body(v); });
}

int run_all(const page& of, const run_flags& flags, char** argv) {
  const terminal t = screen_of(flags);
  for (const variant& v : of.variants) {
    fmt::print("{}", heading(v, t));
    std::fflush(stdout);
    if (const int status = run_in_child(v, argv); status != 0) fmt::print("(exit status {})\n", status);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace lesson
