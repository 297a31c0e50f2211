// Every system call that the network makes, made to fail: the program sees an error and the next
// try works, or it ends with a clear line. It never hangs, crashes or gets a wrong byte.
#include <cerrno>
#include <string>
#include <vector>

#include "tests/net/on_each_poller.h"
#include "tests/support/child.h"

using namespace weft::testing;

namespace {

struct failing {
  const char* call;
  std::vector<int> errors;  // 0: one byte only
};

// EAGAIN is left out where the kernel has promised that it is not so: an edge has come, and would
// not come again.
const std::vector<failing> transient = {
    {"recv", {EINTR, ENOMEM, ECONNRESET}},
    {"send", {EINTR, ENOBUFS, EPIPE, 0}},
    {"sendmsg", {EINTR, ENOBUFS}},
    {"recvmsg", {EINTR, ENOMEM}},
    {"accept4", {EINTR, ECONNABORTED, EMFILE}},
    {"connect", {ETIMEDOUT, EADDRNOTAVAIL}},
    {"socket", {EMFILE, ENOBUFS}},
    {"bind", {EADDRINUSE}},
    {"listen", {EADDRINUSE}},
    {"setsockopt", {ENOMEM}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOMEM, ENOSPC}},
    {"epoll_pwait2", {EINTR, EPERM, ENOSYS}},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    {"pipe2", {EMFILE}},
    {"fstat", {ENOMEM}},
    {"ppoll", {EINTR, ENOMEM}},
    {"getsockname", {ENOBUFS}},
    {"preadv2", {EINTR, EIO}},
    {"pwritev2", {EINTR, EIO}},
    {"write", {EINTR, EIO, 0}},
    {"read", {EINTR, EIO, 0}},
    {"open", {EMFILE, ENOENT}},
    {"fcntl", {EMFILE}},
    {"posix_spawnp", {EAGAIN, ENOMEM}},
    {"io_uring_enter", {EINTR, EAGAIN, EBUSY, ENOMEM}},
    {"io_uring_queue_init", {ENOMEM, EMFILE, EPERM}},
    {"io_uring_queue_init_params", {ENOMEM, EMFILE}},
    {"io_uring_register_sync_cancel", {EAGAIN, EBUSY, EINTR}},
};

outcome with_fault(const std::string& poller, const std::string& fault) {
  return run_child({"/usr/bin/env", "WEFT_POLLER=" + poller, "WEFT_TEST_FAULT=" + fault,
                    "LD_PRELOAD=" + beside_this_program("libfault_shim.so"), beside_this_program("fault_victim")},
                   60);
}

bool works(const outcome& r) { return r.status == 0 && r.out == "done\n"; }
bool says_why(const outcome& r) {
  return r.status != 0 && r.status < 128 && (!r.err.empty() || r.out.starts_with("wrong: "));
}

}  // namespace

TEST_CASE("a system call that fails for a while costs an error and no more", "[net][process][faults]") {
  if (sanitized) return;  // their runtimes come first, and make the calls themselves
  for (const std::string poller : {"io_uring", "epoll"})
    for (const failing& f : transient)
      for (const int error : f.errors)
        for (const std::string when : {"1:1", "1:2", "2:3", "5:1"}) {
          const std::string fault = std::string(f.call) + ":" + std::to_string(error) + ":" + when;
          CAPTURE(poller, fault);
          const outcome r = with_fault(poller, fault);
          CAPTURE(r.err);
          CHECK_FALSE(r.timed_out);
          CHECK(r.out == "done\n");
          CHECK(r.status == 0);
        }
}

// Some threads must be there from the beginning; what another one would speed up works without it.
TEST_CASE("a system that makes no more threads costs an error, or ends the program with a line",
          "[net][process][faults]") {
  if (sanitized) return;
  for (const std::string poller : {"io_uring", "epoll"})
    for (int first = 1; first <= 12; ++first)
      for (const std::string count : {"1", "1000000000"}) {
        const std::string fault =
            "pthread_create:" + std::to_string(EAGAIN) + ":" + std::to_string(first) + ":" + count;
        CAPTURE(poller, fault);
        const outcome r = with_fault(poller, fault);
        CAPTURE(r.out, r.err, r.status);
        CHECK_FALSE(r.timed_out);
        CHECK((works(r) || says_why(r)));
        if (first == 12 && count == "1") CHECK(works(r));
      }
}

TEST_CASE("a system call that is always refused has another way, or ends the program with a line",
          "[net][process][faults]") {
  if (sanitized) return;
  const std::vector<failing> refused = {
      {"epoll_pwait2", {EPERM, ENOSYS}},
      {"io_uring_enter", {EPERM, ENOSYS, EACCES, EAGAIN}},
      {"io_uring_queue_init", {EPERM, ENOSYS}},
      {"io_uring_queue_init_params", {EPERM}},
      {"io_uring_register_sync_cancel", {EPERM, EINVAL}},
      {"preadv2", {ENOSYS, EOPNOTSUPP}},
      {"pwritev2", {ENOSYS, EOPNOTSUPP}},
      {"eventfd", {EPERM, ENOSYS}},
      {"epoll_create1", {EPERM}},
      {"epoll_ctl", {EPERM}},
  };
  for (const std::string poller : {"io_uring", "epoll", "auto"})
    for (const failing& f : refused)
      for (const int error : f.errors) {
        const std::string fault = std::string(f.call) + ":" + std::to_string(error) + ":1:1000000000";
        CAPTURE(poller, fault);
        const outcome r = with_fault(poller, fault);
        CAPTURE(r.out, r.err, r.status);
        CHECK_FALSE(r.timed_out);
        CHECK((works(r) || says_why(r)));
      }
}
