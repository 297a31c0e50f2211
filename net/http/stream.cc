#include "net/http/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace weft::http::detail {

bool is_quiet(const net::conn& c) {
  ssize_t n = 0;
  int why = 0;
  (void)c.raw_control([&](int fd) {
    char one = 0;
    n = ::recv(fd, &one, 1, MSG_PEEK | MSG_DONTWAIT);
    why = errno;
  });
  return n < 0 && (why == EAGAIN || why == EWOULDBLOCK);
}

}  // namespace weft::http::detail
