#include <dirent.h>
#include <fcntl.h>
#include <weft/fs.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "net/fd/c_string.h"
#include "net/fd/open_socket.h"
#include "net/fs/file_requests.h"

namespace weft::fs {

using namespace weft::detail;

namespace {

mode_t type_of(const std::string& dir, const dirent& e) {
  if (e.d_type != DT_UNKNOWN) return static_cast<mode_t>(DTTOIF(e.d_type));
  struct stat s {};
  return ::lstat((dir + '/' + e.d_name).c_str(), &s) == 0 ? s.st_mode & S_IFMT : 0;
}

// `flags`: O_NOFOLLOW for a directory that may have been replaced by a symbolic link, or 0.
result<std::vector<entry>> list(const std::string& path, int flags) {
  owned_fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | flags));
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fd ? fdopendir(fd.get()) : nullptr, closedir);
  if (!dir) return {{}, last_error()};
  (void)fd.release();  // closedir() closes it
  std::vector<entry> found;
  errno = 0;
  while (const dirent* e = readdir(dir.get())) {
    const std::string_view name = e->d_name;
    if (name != "." && name != "..") found.push_back({std::string(name), type_of(path, *e)});
    errno = 0;
  }
  const int error = errno;
  if (error) return {std::move(found), {error, std::system_category()}};
  std::sort(found.begin(), found.end(), [](const entry& a, const entry& b) { return a.name < b.name; });
  return {std::move(found), {}};
}

// A directory that is being visited.
struct level {
  std::string path;
  std::vector<entry> inside;
  std::size_t next = 0;
};

std::string path_in(const std::string& dir, const std::string& name) {
  return dir.ends_with('/') ? dir + name : dir + '/' + name;
}

// Calls f for `what`. If it is a directory to be visited, puts it into `open`.
walk enter(std::vector<level>& open, std::string path, const entry& what, const walk_fn& f) {
  const walk first = f(path, what, {});
  if (first != walk::on || !what.is_dir()) return first;
  auto [inside, err] = on_disk_thread([path] { return list(path, O_NOFOLLOW); });
  if (err && f(path, what, err) == walk::stop) return walk::stop;
  open.push_back({std::move(path), std::move(inside)});
  return walk::on;
}

// Not by recursion: a tree may be deeper than a fiber's stack.
void visit(std::string root, const entry& what, const walk_fn& f) {
  std::vector<level> open;
  if (enter(open, std::move(root), what, f) == walk::stop) return;
  while (!open.empty()) {
    level& at = open.back();
    if (at.next == at.inside.size()) {
      open.pop_back();
      continue;
    }
    const entry e = std::move(at.inside[at.next++]);
    const walk next = enter(open, path_in(at.path, e.name), e, f);
    if (next == walk::stop) return;
    if (next == walk::skip && !e.is_dir()) open.pop_back();
  }
}

}  // namespace

result<std::vector<entry>> read_dir(std::string_view path) {
  if (has_nul(path)) return {{}, make_error_code(std::errc::invalid_argument)};
  return on_disk_thread([at = std::string(path)] { return list(at, 0); });
}

std::error_code walk_dir(std::string_view root, const walk_fn& f) {
  auto [i, err] = lstat(root);
  if (err) return err;
  visit(std::string(root), {i.name, i.mode & S_IFMT}, f);
  return {};
}

}  // namespace weft::fs
