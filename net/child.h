// A child process from its start to the moment when it has been waited for.
#pragma once
#include <weft/context.h>
#include <weft/mutex.h>
#include <weft/pass.h>
#include <weft/process.h>

#include <sys/types.h>

#include <memory>
#include <optional>

namespace weft::os::impl {

struct child {
  child() = default;
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child();

  // Set once, before it is shared.
  pid_t pid = 0;
  net::unique_fd ended;       // can be read once the child has ended; none: only waitid knows
  fs::file in, out, err;
  std::optional<context> ctx;
  std::optional<stop_func> no_kill;

  // Only whoever holds this may give the number back to the system or use it.
  mutex lock;
  // These under lock.
  std::optional<result<exit_status>> how;  // it has been waited for
  bool killed_by_ctx = false;

  // Returns when it has ended; bound's error if that is before.
  std::error_code wait_for_end(const context* bound);
  result<exit_status> reap();
  std::error_code signal(int number);
};

// A descriptor that can be read once the child has ended. Where the kernel has none a thread waits in its place.
net::unique_fd watch_end(const std::shared_ptr<child>& c);

}  // namespace weft::os::impl
