// Child processes, signals and pipes of the system.
#include <signal.h>
#include <unistd.h>
#include <weft/async.h>
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/fs.h>
#include <weft/os.h>
#include <weft/process.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>

#include "tests/examples/examples.h"

namespace {

// A child that reads `input`; its output is collected.
void command_output() {
  weft::os::command sort("sort", {"-n"});
  sort.input = "10\n9\n8\n";
  const weft::os::finished done = sort.output().unwrap();
  std::printf("%s%s\n", done.out.c_str(), done.status.to_string().c_str());
}
// Prints:
// 8
// 9
// 10
// exit status 0

// An exit without success is no error; a program that cannot be started is one.
void command_status() {
  const weft::os::exit_status status = weft::os::command("sh", {"-c", "exit 3"}).run().unwrap();
  std::printf("code %d\n", status.code);
  const weft::os::command missing("no-such-program");
  if (const std::error_code e = missing.run().err) std::puts(missing.explain(e).c_str());
}
// Prints:
// code 3
// exec no-such-program: No such file or directory

// A conversation with a child through its piped streams.
void piped_process() {
  weft::os::command cat("cat");
  cat.in = cat.out = weft::os::stream::piped;
  const weft::os::process child = cat.start().unwrap();
  child.in().write("hello").unwrap();
  std::array<char, 16> buf;
  const std::size_t n = child.out().read(std::as_writable_bytes(std::span(buf))).unwrap();
  std::puts(std::string(buf.data(), n).c_str());
  child.in().close();
  std::puts(child.wait().unwrap().success() ? "success" : "failure");
}
// Prints:
// hello
// success

// When the context is done the child is killed.
void process_with_context() {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  const weft::os::process child = weft::os::command("sleep", {"3600"}).start(ctx).unwrap();
  cancel();
  const auto [status, err] = child.wait();
  if (err == weft::errc::canceled) std::puts(status.to_string().c_str());
}
// Prints:
// signal: Killed

// Signals arrive as values of a channel.
void signal_notify() {
  auto signals = weft::make_chan<int>(1);
  weft::os::signal_notify(signals, {SIGUSR1});
  ::kill(::getpid(), SIGUSR1);
  if (signals.recv() == SIGUSR1) std::puts("SIGUSR1");
  weft::os::signal_stop(signals);
}
// Prints:
// SIGUSR1

// A service runs until a signal cancels its context.
void signal_context() {
  auto [ctx, stop] = weft::os::signal_context(weft::background(), {SIGTERM, SIGUSR2});
  ::kill(::getpid(), SIGUSR2);
  ctx.done().recv();
  std::puts(ctx.err().message().c_str());
}
// Prints:
// context canceled

// A pipe of the system: fibers wait at its ends.
void pipe_of_the_system() {
  const weft::os::pipe_ends ends = weft::os::pipe().unwrap();
  auto writing = weft::async([w = ends.writer] { return w.write("through the kernel").err; });
  std::array<char, 64> buf;
  const std::size_t n = ends.reader.read(std::as_writable_bytes(std::span(buf))).unwrap();
  if (!writing.get()) std::puts(std::string(buf.data(), n).c_str());
}
// Prints:
// through the kernel

// A child that writes to a file, and its error messages to the same file.
void redirection() {
  const examples::temp_dir dir;
  weft::os::command list("sh", {"-c", "echo out; echo err >&2"});
  list.out = weft::os::redirection(weft::fs::create(dir / "log").unwrap());
  list.err = weft::os::stream::same_as_out;
  if (list.run().unwrap().success()) std::fputs(weft::fs::read_file(dir / "log").unwrap().c_str(), stdout);
}
// Prints:
// out
// err

const examples::group processes({
    {"command_output", command_output},
    {"command_status", command_status},
    {"piped_process", piped_process},
    {"process_with_context", process_with_context},
    {"signal_notify", signal_notify},
    {"signal_context", signal_context},
    {"pipe_of_the_system", pipe_of_the_system},
    {"redirection", redirection},
});

}  // namespace
