// Child processes: started, fed, read, waited for and killed while other fibers go on. Go's os/exec.
//
//   weft::os::command sort("sort", {"-n"});
//   sort.in = sort.out = weft::os::stream::piped;
//   auto [p, err] = sort.start(ctx);
//   if (err) return log(sort.explain(err));           // "exec sort: No such file or directory"
//   p.in().write("2\n1\n"); p.in().close();
//   std::string all = read_all(p.out());
//   auto [status, why] = p.wait();                    // status.code, status.signal
//
// Nothing here is done by a shell. A child gets no descriptor but its three streams (and those that the program itself
// has made inheritable), no signal mask, and the default for every signal. From fibers, and from plain threads, which
// then block; with and without a world.
#pragma once
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/fs.h>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::os {

// How a process has ended.
struct exit_status {
  int code = 0;    // what it returned, 0 to 255
  int signal = 0;  // what killed it, if something did; code is 0 then

  bool success() const noexcept { return code == 0 && signal == 0; }
  // "exit status 3", "signal: Killed".
  std::string to_string() const;
};

namespace impl {
struct child;
}

// A shared handle to a child that was started. A child is waited for in any case: if nobody has when the last handle
// goes, it is killed then, and that handle's destructor waits for its end.
class process {
 public:
  // None: errc::closed.
  process() noexcept = default;

  int pid() const noexcept;  // 0: none
  // Our ends of the streams that were asked to be piped; none else.
  const fs::file& in() const noexcept;   // what it reads; close it to end that
  const fs::file& out() const noexcept;  // what it writes
  const fs::file& err() const noexcept;

  // Waits for its end. Any number of times, from many fibers. With the context's error, and the status, if it was the
  // context given to start() that killed it. Go's Cmd.Wait, but that pipes stay open.
  result<exit_status> wait() const;
  // As this, but at most until ctx is done: its error then, and the child goes on.
  result<exit_status> wait(const context& ctx) const;
  // std::errc::no_such_process once it has been waited for. Never meets another process.
  std::error_code signal(int number) const;
  std::error_code kill() const;

  explicit operator bool() const noexcept { return c_ != nullptr; }

  // For weft itself.
  explicit process(std::shared_ptr<impl::child> c) noexcept : c_(std::move(c)) {}

 private:
  std::shared_ptr<impl::child> c_;
};

// Where a standard stream of a child leads.
enum class stream {
  null,  // /dev/null
  inherited,  // where ours does
  piped,  // to us: process::in(), out(), err()
  same_as_out,  // err only
  file,  // a file, a pipe's end, a terminal
};
struct redirection {
  redirection(stream where = stream::null) noexcept : how(where) {}
  // Kept by the child: it may be closed here once start() has returned. A pipe's end is made blocking, as programs
  // expect it; it goes on to be used here as before.
  redirection(fs::file f) noexcept : how(stream::file), to(std::move(f)) {}
  stream how;
  fs::file to;
};

struct finished {
  exit_status status;
  std::string out, err;
};

// What to start. Go's Cmd, but it may be started any number of times.
struct command {
  command(std::string name, std::vector<std::string> arguments = {})
      : program(std::move(name)), args(std::move(arguments)) {}

  std::string program;  // with a slash it is the path, seen from `dir`; else one of our PATH has it
  std::vector<std::string> args;  // without the program's name
  std::optional<std::vector<std::string>> env = {};  // "NAME=value"; none: our environment
  std::string dir = {};  // where it runs; empty: where we do
  redirection in, out, err;
  std::string input = {};  // for output() and combined_output(): what it reads, if `in` is null

  // Returns when the program runs, or cannot: the system's error, which explain() puts into words. Once ctx is done the
  // child is killed. Throws weft::panic for same_as_out where it has no sense.
  result<process> start() const;
  result<process> start(const context& ctx) const;
  // Starts and waits. An end without success is no error. Throws weft::panic for a stream that is piped.
  result<exit_status> run() const;
  result<exit_status> run(const context& ctx) const;
  // The same, with what it writes to those of out and err that are null. With ctx's error all that came before.
  // Children of the child that hold its streams open hold up the end, but not beyond ctx's.
  result<finished> output() const;
  result<finished> output(const context& ctx) const;
  // Both in `out`, in the order in which they were written.
  result<finished> combined_output() const;
  result<finished> combined_output(const context& ctx) const;

  // An error of start() in words, with the program's name, or the directory's if that was the reason.
  std::string explain(std::error_code e) const;
};

}  // namespace weft::os
