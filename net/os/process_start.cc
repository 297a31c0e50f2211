// Starting a child.
//
// In a process of many threads the child may do next to nothing between its birth and its program,
// for whatever lock another thread held at that moment stays held in it. posix_spawn does it right:
// the child borrows our memory, with all signals blocked, while this thread waits; and the error of
// a program that is not there comes back as a value. That wait is for a disk, so it is spent where
// files are opened.
//
// Refused: fork, which copies a large process's page tables and leaves only async-signal-safe
// calls; a helper process that forks for us.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/os.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "net/fd/open_socket.h"
#include "net/fs/file_requests.h"
#include "net/os/child.h"
#include "net/poller/choose.h"

extern char** environ;

namespace weft::os {

using namespace weft::detail;

namespace {

using net::unique_fd;

// Above the numbers that the child's streams will have: none is overwritten by another.
unique_fd above_streams(int fd) { return unique_fd(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)); }

// Both ends of one stream: what the child gets, and what we keep.
struct stream_ends {
  unique_fd theirs;
  fs::file ours;
};

result<stream_ends> make_pipe(bool child_reads) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {{}, last_error()};
  unique_fd reader(ends[0]), writer(ends[1]);
  unique_fd& theirs = child_reads ? reader : writer;
  auto [ours, err] = fs::adopt(std::move(child_reads ? writer : reader));
  if (err) return {{}, err};
  stream_ends made{above_streams(theirs.get()), std::move(ours)};
  if (!made.theirs) return {{}, last_error()};
  return {std::move(made), {}};
}

// Not inlined: what reads errno must not share a function with what suspends.
[[gnu::noinline]] result<unique_fd> open_null_device() {
  unique_fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null) return {std::move(null), {}};
  const bool no_device = errno == ENOENT || errno == EACCES || errno == ENXIO;
  return {{}, no_device ? make_error_code(errc::no_null_device) : last_error()};
}

result<stream_ends> make_stream(const redirection& r, int number) {
  stream_ends made;
  switch (r.how) {
    case stream::inherited: return {};
    case stream::piped: return make_pipe(number == STDIN_FILENO);
    case stream::null: {
      const auto [null, err] = open_null_device();
      if (err) return {{}, err};
      made.theirs = above_streams(null.get());
      break;
    }
    case stream::file: {
      const std::error_code e = r.to.raw_control([&](int fd) { made.theirs = above_streams(fd); });
      if (e) return {{}, e};
      if (made.theirs) set_blocking(made.theirs.get(), true);
      break;
    }
    case stream::same_as_out: throw panic("os::command: only err can be the same as out");
  }
  if (!made.theirs) return {{}, last_error()};
  return {std::move(made), {}};
}

// The file actions and attributes of posix_spawn.
class instructions {
 public:
  instructions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  instructions(const instructions&) = delete;
  instructions& operator=(const instructions&) = delete;
  ~instructions() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  void lead(int fd, int to_number) { posix_spawn_file_actions_adddup2(&actions_, fd, to_number); }
  void run_in(const std::string& dir) { posix_spawn_file_actions_addchdir_np(&actions_, dir.c_str()); }

  // An error number, or 0 and the child's.
  int start(const std::string& program, char** argv, char** envp, pid_t& pid) const {
    return posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, argv, envp);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

class process_errors final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.os"; }
  std::string message(int) const override { return "cannot open /dev/null for a standard stream"; }
};

std::vector<char*> pointers_to(const std::vector<std::string>& list) {
  std::vector<char*> all;
  for (const std::string& s : list) all.push_back(const_cast<char*>(s.c_str()));
  return all;
}

bool has_nul(const std::string& s) { return s.find('\0') != std::string::npos; }
bool is_sayable(const command& c) {
  return !has_nul(c.program) && !has_nul(c.dir) && std::none_of(c.args.begin(), c.args.end(), has_nul) &&
         (!c.env || std::none_of(c.env->begin(), c.env->end(), has_nul));
}

std::error_code spawn(const command& c, const std::array<stream_ends, 3>& streams, pid_t& pid) {
  instructions how;
  for (int number = 0; number < 3; ++number)
    if (const unique_fd& fd = streams[static_cast<std::size_t>(number)].theirs) how.lead(fd.get(), number);
  if (c.err.how == stream::same_as_out) how.lead(STDOUT_FILENO, STDERR_FILENO);
  if (!c.dir.empty()) how.run_in(c.dir);
  std::vector<char*> argv = pointers_to(c.args);
  argv.insert(argv.begin(), const_cast<char*>(c.program.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  if (c.env) envp = pointers_to(*c.env);
  envp.push_back(nullptr);
  const int error =
      on_disk_thread([&] { return how.start(c.program, argv.data(), c.env ? envp.data() : environ, pid); });
  return error ? std::error_code(error, std::system_category()) : std::error_code();
}

// Once ctx is done. The child may be gone by then, and its last handle with it.
void kill_after(const context& ctx, const std::shared_ptr<detail::child>& c) {
  c->ctx = ctx;
  c->no_kill = after_func(ctx, [weak = std::weak_ptr(c)] {
    const auto child = weak.lock();
    if (!child) return;
    const std::lock_guard hold(child->lock);
    if (!child->signal_locked(SIGKILL)) child->killed_by_ctx = true;
  });
}

result<process> start_child(const command& c, const context* ctx) {
  weft::detail::refuse_in_simulation();
  if (ctx && ctx->err()) return {{}, ctx->err()};
  if (!is_sayable(c)) return {{}, make_error_code(std::errc::invalid_argument)};
  const redirection* const wanted[] = {&c.in, &c.out, &c.err};
  std::array<stream_ends, 3> streams;
  for (int number = 0; number < 3; ++number) {
    const redirection& r = *wanted[number];
    if (number == STDERR_FILENO && r.how == stream::same_as_out) continue;
    auto [made, err] = make_stream(r, number);
    if (err) return {{}, err};
    streams[static_cast<std::size_t>(number)] = std::move(made);
  }
  const auto started = std::make_shared<detail::child>();
  pid_t pid = 0;
  if (const std::error_code e = spawn(c, streams, pid)) return {{}, e};
  started->pid = pid;
  started->watch_end();
  started->in = std::move(streams[STDIN_FILENO].ours);
  started->out = std::move(streams[STDOUT_FILENO].ours);
  started->err = std::move(streams[STDERR_FILENO].ours);
  if (ctx) kill_after(*ctx, started);
  return {process(started), {}};
}

}  // namespace

const std::error_category& os_category() noexcept {
  static const process_errors all;
  return all;
}

result<process> command::start() const { return start_child(*this, nullptr); }
result<process> command::start(const context& ctx) const { return start_child(*this, &ctx); }

std::string command::explain(std::error_code e) const {
  struct stat s {};
  if (!dir.empty() && (::stat(dir.c_str(), &s) != 0 || !S_ISDIR(s.st_mode)))
    return fmt::format("chdir {}: {}", dir, e.message());
  return fmt::format("exec {}: {}", program, e.message());
}

}  // namespace weft::os
