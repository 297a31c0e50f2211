#include <dirent.h>
#include <weft/fs.h>

#include <algorithm>
#include <cerrno>

#include "net/fd/c_string.h"
#include "net/fd/open_socket.h"
#include "net/fs/file_requests.h"

namespace weft::fs {

using namespace detail;

namespace {

mode_t type_of(const std::string& dir, const dirent& e) {
  if (e.d_type != DT_UNKNOWN) return static_cast<mode_t>(DTTOIF(e.d_type));
  struct stat s {};
  return ::lstat((dir + '/' + e.d_name).c_str(), &s) == 0 ? s.st_mode & S_IFMT : 0;
}

result<std::vector<entry>> list(const std::string& path) {
  DIR* dir = opendir(path.c_str());
  if (!dir) return {{}, last_error()};
  std::vector<entry> found;
  errno = 0;
  while (const dirent* e = readdir(dir)) {
    const std::string_view name = e->d_name;
    if (name != "." && name != "..") found.push_back({std::string(name), type_of(path, *e)});
    errno = 0;
  }
  const int error = errno;
  closedir(dir);
  if (error) return {std::move(found), {error, std::system_category()}};
  std::sort(found.begin(), found.end(), [](const entry& a, const entry& b) { return a.name < b.name; });
  return {std::move(found), {}};
}

walk visit(const std::string& path, const entry& what, const walk_fn& f) {
  const walk first = f(path, what, {});
  if (first != walk::on || !what.is_dir()) return first;
  auto [inside, err] = read_dir(path);
  if (err && f(path, what, err) == walk::stop) return walk::stop;
  for (const entry& e : inside) {
    const std::string at = path.ends_with('/') ? path + e.name : path + '/' + e.name;
    const walk next = visit(at, e, f);
    if (next == walk::stop) return next;
    if (next == walk::skip && !e.is_dir()) break;
  }
  return walk::on;
}

}  // namespace

result<std::vector<entry>> read_dir(std::string_view path) {
  if (has_nul(path)) return {{}, make_error_code(std::errc::invalid_argument)};
  return on_disk_thread([at = std::string(path)] { return list(at); });
}

std::error_code walk_dir(std::string_view root, const walk_fn& f) {
  auto [i, err] = lstat(root);
  if (err) return err;
  visit(std::string(root), {i.name, i.mode & S_IFMT}, f);
  return {};
}

}  // namespace weft::fs
