#include <fcntl.h>
#include <unistd.h>
#include <weft/os.h>

#include "net/fd/open_socket.h"

namespace weft::os {

result<pipe_ends> pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {{}, weft::detail::last_error()};
  net::unique_fd reader(ends[0]), writer(ends[1]);
  pipe_ends made;
  for (auto [file, fd] : {std::pair(&made.reader, &reader), std::pair(&made.writer, &writer)}) {
    auto [f, err] = fs::adopt(std::move(*fd));
    if (err) return {{}, err};
    *file = std::move(f);
  }
  return {std::move(made), {}};
}

}  // namespace weft::os
