#include "net/tls/linger.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <vector>

#include "net/fd/open_socket.h"
#include "net/fd/quiet_thread.h"
#include "runtime/clock.h"
#include "sched/threads.h"

namespace weft::tls::detail {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t most_ns = 30'000 * ms;
constexpr std::size_t max_kept = 1024;

enum class input { may_come, ended, broken };

// Reads and drops what has come, but not an endless stream.
input drop_input(int fd) {
  std::array<std::byte, 16384> buf;
  for (int i = 0; i < 256; ++i) {
    const ssize_t n = recv(fd, buf.data(), buf.size(), MSG_DONTWAIT);
    if (n == 0) return input::ended;
    if (n < 0) return errno == EAGAIN || errno == EINTR ? input::may_come : input::broken;
  }
  return input::may_come;
}

// Bytes that the peer's kernel has not acknowledged, the end of the stream included. What is
// written to a Unix socket is with the peer already.
int unacknowledged(int fd) {
  int n = 0, family = 0;
  socklen_t size = sizeof family;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family == AF_UNIX) return 0;
  return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

struct connection {
  weft::detail::owned_fd fd;
  std::vector<std::byte> rest;
  std::int64_t until;
  input from_peer = input::may_come;

  // poll() reports the end of the input again and again, so it is not asked about it then.
  int polled() const noexcept { return from_peer == input::may_come ? fd.get() : -1; }

  // True if nothing is left to do.
  bool advance(int socket) {
    from_peer = drop_input(socket);
    if (from_peer == input::broken) return true;
    while (!rest.empty()) {
      const ssize_t n = send(socket, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno != EAGAIN;
      rest.erase(rest.begin(), rest.begin() + n);
    }
    if (shutdown(socket, SHUT_WR) != 0 && errno == ENOTCONN) return true;  // reset
    constexpr int end_of_stream = 1;
    return unacknowledged(socket) <= end_of_stream;
  }
};

bool wants_reset(int fd) {
  ::linger how{};
  socklen_t n = sizeof how;
  return getsockopt(fd, SOL_SOCKET, SO_LINGER, &how, &n) == 0 && how.l_onoff && how.l_linger == 0;
}

class keeper {
 public:
  explicit keeper(pid_t process) noexcept : process_(process) {}
  pid_t process() const noexcept { return process_; }

  void keep(connection c) {
    const std::lock_guard hold(lock_);
    if (kept_ == max_kept) return;
    if (kept_ == 0 && weft::detail::start_quiet_thread([this] { serve(); })) return;
    ++kept_;
    arrived_.push_back(std::move(c));
  }

 private:
  // Until there is no connection left.
  void serve() {
    weft::detail::note_quiet_helper(1);
    std::vector<connection> all;
    std::int64_t pause = ms;
    std::vector<pollfd> at;
    while (take_arrived(all)) {
      try {
        at.clear();
        for (const connection& c : all) at.push_back({.fd = c.polled(), .events = POLLIN, .revents = 0});
      } catch (const std::bad_alloc&) {  // the others are looked at after the pause
      }
      poll(at.data(), at.size(), static_cast<int>(pause / ms));
      pause = std::min(2 * pause, 50 * ms);
      const std::int64_t now = weft::detail::now_ns();
      const auto gone = std::erase_if(all, [&](connection& c) { return c.advance(c.fd.get()) || c.until <= now; });
      const std::lock_guard hold(lock_);
      kept_ -= gone;
    }
    weft::detail::note_quiet_helper(-1);
  }

  bool take_arrived(std::vector<connection>& all) {
    const std::lock_guard hold(lock_);
    try {
      all.reserve(all.size() + arrived_.size());
      for (connection& c : arrived_) all.push_back(std::move(c));
    } catch (const std::bad_alloc&) {  // they are cut off
      kept_ -= arrived_.size();
    }
    arrived_.clear();
    return kept_ > 0;
  }

  const pid_t process_;
  std::mutex lock_;
  std::vector<connection> arrived_;  // these under lock_
  std::size_t kept_ = 0;
};

// A child process of a fork has no thread that would serve the parent's.
keeper& of_this_process() {
  static std::mutex making;
  static keeper* current = nullptr;
  const std::lock_guard hold(making);
  if (!current || current->process() != getpid()) current = new keeper(getpid());
  return *current;
}

}  // namespace

void linger(int fd, std::vector<std::byte> rest) {
  connection c{{}, std::move(rest), weft::detail::now_ns() + most_ns, input::may_come};
  if (wants_reset(fd) || c.advance(fd)) return;
  c.fd.reset(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (c.fd) of_this_process().keep(std::move(c));
}

}  // namespace weft::tls::detail
