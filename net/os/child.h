// A child process from its start to the moment when it has been waited for.
#pragma once
#include <weft/context.h>
#include <weft/mutex.h>
#include <weft/pass.h>
#include <weft/process.h>

#include <sys/types.h>

#include <memory>
#include <optional>

namespace weft::os::detail {

struct child {
  child() = default;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  // Set once, before it is shared.
  pid_t pid = 0;
  fs::file in, out, err;
  std::optional<context> ctx;
  std::optional<stop_func> no_kill;

  // Held by the caller that waits for the child for the last time, or signals it.
  mutex lock;
  // The child, and readable once it has ended. If the kernel has none, the bell is readable then.
  // Neither: a thread waits. Set once, under lock or before the child is shared.
  net::unique_fd pidfd, ended_bell;
  // These under lock.
  std::optional<result<exit_status>> how;  // it has been waited for
  bool killed_by_ctx = false;

  // Returns when it has ended; bound's error if that is before.
  // With bound: std::errc::too_many_files_open if no descriptor can be made to wait with.
  std::error_code wait_for_end(const context* bound);
  result<exit_status> reap();
  std::error_code signal(int number);
  std::error_code signal_locked(int number);
  // Makes pidfd or ended_bell, if that is possible.
  void watch_end();
};

}  // namespace weft::os::detail
