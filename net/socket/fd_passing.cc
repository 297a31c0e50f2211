// Descriptors in messages (SCM_RIGHTS).
//
// They travel with the first byte of what is written, so there must be one. The kernel makes
// numbers of as many as fit the room that the receiver has offered and the process's limit, and
// says of the others only that they are gone. Half of what was sent is of no use: then all of them
// are closed, and the error says so.
//
// Refused: to let a caller build control messages. What else they carry has socket options of its
// own, and a wrong length in one loses descriptors.
#include <sys/socket.h>
#include <sys/uio.h>
#include <weft/pass.h>

#include <algorithm>
#include <cstring>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"

namespace weft::net {

using namespace weft::detail;

namespace {

// Aligned as the kernel's headers require.
class control_data {
 public:
  explicit control_data(std::size_t fds) : words_((CMSG_SPACE(fds * sizeof(int)) + sizeof(word) - 1) / sizeof(word)) {}
  void* data() noexcept { return words_.data(); }

 private:
  using word = std::size_t;
  std::vector<word> words_;
};

// The length, not the space that it takes: so that no more come than there is room for.
std::size_t length_for(std::size_t fds) noexcept { return fds == 0 ? 0 : CMSG_LEN(fds * sizeof(int)); }

bool passes_descriptors(const io_lock& t) noexcept { return t.of().local().family() == AF_UNIX; }

result<std::size_t> send_with(descriptor* d, const context* ctx, std::span<const std::byte> data,
                              std::span<const int> fds) {
  if (data.empty() && !fds.empty()) throw panic("send_fds: descriptors travel with at least one byte");
  io_lock t(d, direction_kind::writing, ctx);
  if (t.error()) return {0, t.error()};
  if (!passes_descriptors(t)) return {0, make_error_code(std::errc::operation_not_supported)};
  if (fds.size() > max_fds) return {0, errc::too_many_descriptors};
  control_data control(fds.size());
  std::size_t done = 0;
  while (done < data.size()) {
    iovec part{const_cast<std::byte*>(data.data()) + done, data.size() - done};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (done == 0 && !fds.empty()) {
      head.msg_control = control.data();
      head.msg_controllen = length_for(fds.size());
      cmsghdr* c = CMSG_FIRSTHDR(&head);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = head.msg_controllen;
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
    }
    send_message rq(t.fd(), head);
    const outcome sent = perform(t, rq, ctx);
    if (sent.err) return {done, sent.err};
    done += static_cast<std::size_t>(sent.n);
  }
  return {done, {}};
}

void take_descriptors(msghdr& head, std::vector<unique_fd>& into) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t bytes = c->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

result<fd_message> receive_with(descriptor* d, const context* ctx, std::span<std::byte> buf, std::size_t most) {
  io_lock t(d, direction_kind::reading, ctx);
  if (t.error()) return {{}, t.error()};
  if (!passes_descriptors(t)) return {{}, make_error_code(std::errc::operation_not_supported)};
  const bool packets = t.of().remote().type() == SOCK_DGRAM;
  if (buf.empty() && !packets) return {};
  fd_message got;
  got.fds.reserve(std::min(most, max_fds));  // from the system call on nothing may throw
  control_data control(std::min(most, max_fds));
  iovec part{buf.data(), buf.size()};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = control.data();
  head.msg_controllen = length_for(std::min(most, max_fds));
  receive_message rq(t.fd(), head);
  const outcome o = perform(t, rq, ctx);
  if (o.err) return {{}, o.err};
  take_descriptors(head, got.fds);
  got.n = static_cast<std::size_t>(o.n);
  if (head.msg_flags & MSG_CTRUNC) {
    got.fds.clear();
    return {std::move(got), errc::descriptors_lost};
  }
  if (got.n == 0 && !packets) return {std::move(got), weft::errc::eof};
  return {std::move(got), {}};
}

int type_of_socket(int fd) noexcept {
  int type = 0;
  socklen_t n = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 ? type : -1;
}

}  // namespace

result<std::size_t> conn::send_fds(std::span<const std::byte> data, std::span<const int> fds) const {
  return send_with(d_.get(), nullptr, data, fds);
}
result<std::size_t> conn::send_fds(const context& ctx, std::span<const std::byte> data,
                                   std::span<const int> fds) const {
  return send_with(d_.get(), &ctx, data, fds);
}
result<fd_message> conn::recv_fds(std::span<std::byte> buf, std::size_t most) const {
  return receive_with(d_.get(), nullptr, buf, most);
}
result<fd_message> conn::recv_fds(const context& ctx, std::span<std::byte> buf, std::size_t most) const {
  return receive_with(d_.get(), &ctx, buf, most);
}

result<conn> adopt_conn(unique_fd fd) {
  const int type = type_of_socket(fd.get());
  if (type < 0) return {{}, last_error()};
  sockaddr_storage peer{};
  socklen_t n = sizeof peer;
  if (getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &n) != 0) return {{}, last_error()};
  set_blocking(fd.get(), false);
  const endpoint remote(reinterpret_cast<sockaddr*>(&peer), n, type);
  return {conn(descriptor_ref(adopt_connection(std::move(fd), remote))), {}};
}

result<listener> adopt_listener(unique_fd fd) {
  const int type = type_of_socket(fd.get());
  if (type < 0) return {{}, last_error()};
  int listens = 0;
  socklen_t n = sizeof listens;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0) return {{}, last_error()};
  if (!listens) return {{}, make_error_code(std::errc::invalid_argument)};
  set_blocking(fd.get(), false);
  auto* d = new descriptor(fd.get(), name_of_socket(fd.get(), type), {});
  fd.release();
  return {listener(descriptor_ref(d)), {}};
}

}  // namespace weft::net
