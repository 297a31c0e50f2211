// Child processes: starts them, writes to and reads from them, waits for them and kills them, while
// other fibers run. Go's os/exec.
//
//   weft::os::command sort("sort", {"-n"});
//   sort.in = sort.out = weft::os::stream::piped;
//   auto [p, err] = sort.start(ctx);
//   if (err) return log(sort.explain(err));           // "exec sort: No such file or directory"
//   p.in().write("2\n1\n"); p.in().close();
//   std::string all = read_all(p.out());
//   auto [status, why] = p.wait();                    // status.code, status.signal
//
// No shell takes part. A child inherits its three streams, and the descriptors that the program
// itself has made inheritable. It starts with an empty signal mask and the default action of every
// signal. All functions may be called from fibers and plain threads, with and without a world;
// plain threads block.
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

// Why a child cannot be started, where the system has no code.
enum class errc {
  no_null_device = 1,  // a stream leads to /dev/null, which cannot be opened
};
// Returns the category of errc.
const std::error_category& os_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), os_category()}; }

// How a process has ended. Go's os.ProcessState.
struct exit_status {
  int code = 0;  // its exit code, 0 to 255
  int signal = 0;  // the signal that killed it; code is 0 then

  // Returns true if the exit code is 0 and no signal killed it.
  bool success() const noexcept { return code == 0 && signal == 0; }
  // Returns "exit status 3" or "signal: Killed".
  std::string to_string() const;
};

namespace detail {
struct child;
}

// A child that was started. A shared handle: the destructor of the last copy kills a child that was
// not waited for, and waits for its end. Go's os.Process.
class process {
 public:
  // Empty: functions return errc::closed.
  process() noexcept = default;

  // Returns the process id; 0: none. Does not block.
  int pid() const noexcept;
  // Return this side of the child's piped streams; empty files for other streams. in() is what the
  // child reads: close it to end that input. Do not block. Go's StdinPipe, StdoutPipe and
  // StderrPipe.
  const fs::file& in() const noexcept;
  const fs::file& out() const noexcept;
  const fs::file& err() const noexcept;

  // Blocks until the child ends. May be called any number of times, from many fibers. If the
  // context given to start() killed the child, returns the status and that context's error. Closes
  // no pipes. Go's Cmd.Wait.
  result<exit_status> wait() const;
  // The same, but blocks at most until ctx is done: returns ctx's error then, and the child keeps
  // running.
  result<exit_status> wait(const context& ctx) const;
  // Send a signal to the child; kill() sends SIGKILL. Return std::errc::no_such_process after the
  // child was waited for; never reach another process. Do not block. Go's Signal and Kill.
  std::error_code signal(int number) const;
  std::error_code kill() const;

  // Returns true if it has a child.
  explicit operator bool() const noexcept { return c_ != nullptr; }

  // For weft itself.
  explicit process(std::shared_ptr<detail::child> c) noexcept : c_(std::move(c)) {}

 private:
  std::shared_ptr<detail::child> c_;
};

// Where a standard stream of a child leads.
enum class stream {
  null,  // /dev/null
  inherited,  // to the same stream of this process
  piped,  // to this process: process::in(), out(), err()
  same_as_out,  // err only
  file,  // a file, a pipe's end, a terminal
};
// A stream, and the file if it is stream::file.
struct redirection {
  redirection(stream where = stream::null) noexcept : how(where) {}
  // The child keeps the file: it may be closed here after start() has returned. The end of a pipe
  // is made blocking, as programs expect; its use here is unchanged.
  redirection(fs::file f) noexcept : how(stream::file), to(std::move(f)) {}
  stream how;
  fs::file to;
};

// The result of output(): the status and what the child wrote.
struct finished {
  exit_status status;
  std::string out, err;
};

// What to start. May be started any number of times. Go's exec.Cmd.
struct command {
  command(std::string name, std::vector<std::string> arguments = {})
      : program(std::move(name)), args(std::move(arguments)) {}

  std::string program;  // with a slash: a path, relative to `dir`; otherwise searched in PATH
  std::vector<std::string> args;  // without the program's name
  std::optional<std::vector<std::string>> env = {};  // "NAME=value"; none: this environment
  std::string dir = {};  // where it runs; empty: the current directory
  redirection in, out, err;
  std::string input = {};  // for output() and combined_output(): what it reads, if `in` is null

  // Blocks until the program runs or has failed to. Errors: the system's and errc; explain()
  // describes them. When ctx is done the child is killed. Throws weft::panic for same_as_out on a
  // stream other than err. Go's Start.
  result<process> start() const;
  result<process> start(const context& ctx) const;
  // Starts the child and blocks until it ends. An exit without success is not an error. Throws
  // weft::panic for a stream that is piped. Go's Run.
  result<exit_status> run() const;
  result<exit_status> run(const context& ctx) const;
  // The same, and returns what the child writes to out and err, where these are stream::null. With
  // ctx's error: what was written before. Children of the child that keep its streams open delay
  // the return, until ctx is done at the latest. Go's Output.
  result<finished> output() const;
  result<finished> output(const context& ctx) const;
  // The same with both streams in `out`, in the order of the writes. Go's CombinedOutput.
  result<finished> combined_output() const;
  result<finished> combined_output(const context& ctx) const;

  // Returns an error of start() in words, with the name of the program, or of the directory if that
  // was the reason. Does not block.
  std::string explain(std::error_code e) const;
};

}  // namespace weft::os

template <>
struct std::is_error_code_enum<weft::os::errc> : std::true_type {};
