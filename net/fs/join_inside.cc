// Names that come from outside, joined with the directory that they must not leave.
//
// join_inside() looks at the text only. open_inside() lets the kernel keep the walk below the
// directory (openat2 with RESOLVE_BENEATH), so a symbolic link that is swapped between check and
// use does not lead out. A kernel or a sandbox without openat2 gets a walk part by part that
// follows no symbolic link.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/fs.h>

#include <cerrno>
#include <vector>

#include "net/fd/c_string.h"
#include "net/fd/open_socket.h"
#include "net/fs/open_file.h"

namespace weft::fs {

using namespace weft::detail;

namespace {

// The parts of `path` without "." and "..". False if ".." leads out.
bool split_inside(std::string_view path, std::vector<std::string>& parts) {
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
      continue;
    }
    if (parts.empty()) return false;
    parts.pop_back();
  }
  return true;
}

result<std::vector<std::string>> parts_inside(std::string_view root, std::string_view path) {
  if (has_nul(root) || has_nul(path)) return {{}, make_error_code(std::errc::invalid_argument)};
  std::vector<std::string> parts;
  if (path.starts_with('/') || !split_inside(path, parts)) return {{}, make_error_code(std::errc::permission_denied)};
  return {std::move(parts), {}};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) (all += all.empty() ? "" : "/") += part;
  return all.empty() ? "." : all;
}

bool is_refused(int error) noexcept { return error == ENOSYS || error == EPERM || error == E2BIG; }

// Without openat2: no part may be a symbolic link. The descriptor, or an error number below 0.
int walk_and_open(int root, const std::vector<std::string>& parts, int flags, mode_t mode) {
  owned_fd in(fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (std::size_t i = 0; in && i + 1 < parts.size(); ++i)
    in.reset(openat(in.get(), parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!in) return -errno;
  const char* last = parts.empty() ? "." : parts.back().c_str();
  const int fd = openat(in.get(), last, flags | O_NOFOLLOW | O_CLOEXEC, mode);
  return fd < 0 ? -errno : fd;
}

int open_beneath(const std::string& root, const std::vector<std::string>& parts, int flags, mode_t mode) {
  const owned_fd dir(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return -errno;
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) how.mode = mode & 07777;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string path = joined(parts);
  for (int tries = 0; tries < 100; ++tries) {
    const auto fd = static_cast<int>(syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof how));
    if (fd >= 0) return fd;
    if (errno == EXDEV) return -EACCES;
    if (is_refused(errno)) return walk_and_open(dir.get(), parts, flags, mode);
    if (errno != EAGAIN && errno != EINTR) return -errno;  // EAGAIN: something was renamed during the walk
  }
  return -EAGAIN;
}

}  // namespace

result<std::string> join_inside(std::string_view root, std::string_view path) {
  const auto [parts, err] = parts_inside(root, path);
  if (err) return {{}, err};
  if (parts.empty()) return {root.empty() ? "." : std::string(root), {}};
  std::string all(root.empty() ? "." : root);
  if (all.back() != '/') all += '/';
  return {all + joined(parts), {}};
}

result<file> open_inside(std::string_view root, std::string_view path, int flags, mode_t mode) {
  const auto parts = parts_inside(root, path);
  if (parts.err) return {{}, parts.err};
  const std::string at(root.empty() ? "." : root);
  return open_by(flags,
                 [&](int how) { return on_disk_thread([&] { return open_beneath(at, parts.value, how, mode); }); });
}

}  // namespace weft::fs
