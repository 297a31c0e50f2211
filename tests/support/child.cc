#include "tests/support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace weft::testing {
namespace {

struct capture {
  int read_end, write_end;
  capture() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read_end = ends[0];
    write_end = ends[1];
  }
};

// False at the end of the stream.
bool drain(int fd, std::string& into) {
  char buffer[4096];
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
  return n > 0;
}

}  // namespace

outcome run_child(const std::vector<std::string>& argv, int limit_s) {
  capture out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
  std::vector<char*> args;
  for (const std::string& a : argv) args.push_back(const_cast<char*>(a.c_str()));
  args.push_back(nullptr);
  pid_t child = 0;
  // A shell that runs tests in the background lets them ignore SIGQUIT, which is none of the
  // child's business.
  posix_spawnattr_t fresh;
  posix_spawnattr_init(&fresh);
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGQUIT);
  sigaddset(&usual, SIGINT);
  posix_spawnattr_setsigdefault(&fresh, &usual);
  posix_spawnattr_setflags(&fresh, POSIX_SPAWN_SETSIGDEF);
  int failed = posix_spawn(&child, args[0], &actions, &fresh, args.data(), environ);
  posix_spawnattr_destroy(&fresh);
  posix_spawn_file_actions_destroy(&actions);
  close(out.write_end);
  close(err.write_end);
  if (failed != 0) throw std::runtime_error("cannot start " + argv[0]);

  outcome result{.status = -1, .timed_out = false, .out = {}, .err = {}};
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(limit_s);
  pollfd open[2] = {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}};
  while (open[0].fd >= 0 || open[1].fd >= 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      result.timed_out = true;
      kill(child, SIGKILL);
      break;
    }
    poll(open, 2, static_cast<int>(left.count()));
    if (open[0].revents != 0 && !drain(open[0].fd, result.out)) open[0].fd = -1;
    if (open[1].revents != 0 && !drain(open[1].fd, result.err)) open[1].fd = -1;
  }
  close(out.read_end);
  close(err.read_end);
  int status = 0;
  waitpid(child, &status, 0);
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

std::string beside_this_program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace weft::testing
