// Files, without holding up the other fibers. Go's os, as far as it is about files, and filepath.WalkDir.
//
// Where the poller is io_uring the kernel does the work; else a bounded number of threads does, so a thousand
// fibers that read make no thousand threads. From plain threads too, which then block. Contexts and deadlines end no
// operation on a regular file: the kernel knows no way. Pipes, terminals and the like wait as connections do, with
// contexts and deadlines, and a write to a pipe that nobody reads is std::errc::broken_pipe and no signal.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <weft/errors.h>
#include <weft/net.h>
#include <weft/pass.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weft::fs {

struct info {
  std::string name;          // the last part of the path
  std::uint64_t size = 0;
  mode_t mode = 0;           // type and permissions, as in stat(2)
  std::chrono::system_clock::time_point modified;

  bool is_dir() const noexcept { return S_ISDIR(mode); }
  bool is_regular() const noexcept { return S_ISREG(mode); }
  bool is_symlink() const noexcept { return S_ISLNK(mode); }
};

// A shared handle, as a connection is: the last that goes closes it.
class file : public net::socket {
 public:
  using net::socket::socket;

  // From where the file stands, and moves it on. read: at least one byte, or errc::eof; write: all.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }
  // Where it is a pipe or the like the context ends the wait, else it is only asked before.
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  // Wherever it stands. read_at: all of buf, or how much there was and errc::eof.
  result<std::size_t> read_at(std::span<std::byte> buf, std::uint64_t offset) const;
  result<std::size_t> write_at(std::span<const std::byte> data, std::uint64_t offset) const;

  // As a connection's, for pipes and the like. A regular file has none: std::errc::operation_not_supported, and nothing
  // is set. Go's ErrNoDeadline.
  std::error_code set_deadline(time_point at = time_point::max()) const;
  std::error_code set_read_deadline(time_point at = time_point::max()) const;
  std::error_code set_write_deadline(time_point at = time_point::max()) const;

  std::error_code fsync() const;
  std::error_code truncate(std::uint64_t size) const;
  result<info> stat() const;
};

// `flags` as open(2) has them; O_CLOEXEC is understood.
result<file> open(std::string_view path, int flags = O_RDONLY, mode_t mode = 0666);
// A descriptor that was got otherwise; one that can wait is made non-blocking. Go's os.NewFile.
result<file> adopt(net::unique_fd fd);
// For reading and writing, empty, made if it is not there.
result<file> create(std::string_view path);

result<info> stat(std::string_view path);
result<info> lstat(std::string_view path);  // of a symbolic link itself
std::error_code rename(std::string_view from, std::string_view to);
std::error_code remove(std::string_view path);  // a file or an empty directory
std::error_code mkdir(std::string_view path, mode_t mode = 0777);

// Whole files.
result<std::string> read_file(std::string_view path);
std::error_code write_file(std::string_view path, std::string_view data, mode_t mode = 0666);

struct entry {
  std::string name;
  mode_t type = 0;  // S_IFDIR, S_IFREG, ...
  bool is_dir() const noexcept { return S_ISDIR(type); }
};
// Sorted by name, without "." and "..".
result<std::vector<entry>> read_dir(std::string_view path);

enum class walk { on, skip, stop };
// Calls f for root and all below it, in order of names; links are not followed. `e`: the directory could not be read,
// and f is called for it a second time. `skip`: not into this directory, or not on in the one of this file.
using walk_fn = std::function<walk(const std::string& path, const entry& what, std::error_code e)>;
// An error only if root cannot be looked at.
std::error_code walk_dir(std::string_view root, const walk_fn& f);

}  // namespace weft::fs
