// Files, without delay for other fibers. Go's os for files, and filepath.WalkDir.
//
// With io_uring as the poller the kernel does the work; otherwise a bounded number of threads does,
// so 1,000 fibers that read do not make 1,000 threads. All functions may be called from fibers and
// plain threads, not from signal handlers; plain threads block. Contexts and deadlines do not end
// an operation on a regular file: the kernel has no way to do so. Pipes, terminals and the like
// wait as connections do, with contexts and deadlines; a write to a pipe without a reader returns
// std::errc::broken_pipe and raises no signal. Errors are the system's unless stated.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <weft/detail/chrono.h>
#include <weft/errors.h>
#include <weft/net.h>
#include <weft/pass.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weft::fs {

// The state of a file. Go's fs.FileInfo.
struct info {
  std::string name;          // the last part of the path
  std::uint64_t size = 0;
  mode_t mode = 0;           // type and permissions, as in stat(2)
  std::chrono::system_clock::time_point modified;

  bool is_dir() const noexcept { return S_ISDIR(mode); }
  bool is_regular() const noexcept { return S_ISREG(mode); }
  bool is_symlink() const noexcept { return S_ISLNK(mode); }
};

// An open file. A shared handle: the destructor of the last copy closes it. Go's os.File.
class file : public net::socket {
 public:
  using net::socket::socket;

  // Read or write at the file's position, and advance it. Block until read() has at least 1 byte,
  // or write() has written all. Error of read(): errc::eof at the end. Go's Read and Write.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }
  // The same with a context. For a pipe or the like ctx ends the wait; for a regular file it is
  // checked only before the operation.
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::string_view text) const {
    return write(ctx, std::as_bytes(std::span(text)));
  }
  // Read or write at `offset`; the position does not change. Block until all of buf is read or all
  // data is written. Error of read_at(): errc::eof with the number of bytes before the end. Go's
  // ReadAt and WriteAt.
  result<std::size_t> read_at(std::span<std::byte> buf, std::uint64_t offset) const;
  result<std::size_t> write_at(std::span<const std::byte> data, std::uint64_t offset) const;

  // As socket::set_deadline, for pipes and the like. Return std::errc::operation_not_supported for
  // a regular file, and set nothing. Do not block. Go's SetDeadline and ErrNoDeadline.
  std::error_code set_deadline(time_point at = time_point::max()) const;
  std::error_code set_read_deadline(time_point at = time_point::max()) const;
  std::error_code set_write_deadline(time_point at = time_point::max()) const;

  // Blocks until the kernel has written the data to the device. Go's Sync.
  std::error_code fsync() const;
  // Sets the size, in bytes. Blocks. Go's Truncate.
  std::error_code truncate(std::uint64_t size) const;
  // Returns the state of the open file. Blocks. Go's Stat.
  result<info> stat() const;
};

// Opens `path` with the flags of open(2) and O_CLOEXEC. Blocks; as open(2), it waits for the other
// end of a named pipe unless `flags` has O_NONBLOCK. Errors: the system's;
// std::errc::invalid_argument for a NUL byte in `path`, here and in all functions below that take
// one. Go's os.OpenFile.
result<file> open(std::string_view path, int flags = O_RDONLY, mode_t mode = 0666);
// Returns `root` and `path` joined, for programs that serve files by names from outside. `path` is
// cleaned as text: "." and empty parts are dropped, ".." removes the part before it. Errors:
// std::errc::permission_denied if `path` is absolute or ".." leads out of root,
// std::errc::invalid_argument for a NUL byte. Does not block and reads no file, so open() of the
// result follows a symbolic link to any place; open_inside() does not. From fibers and plain
// threads. Go's filepath.IsLocal and filepath.Join.
result<std::string> join_inside(std::string_view root, std::string_view path);
// Opens join_inside(root, path), with the flags of open(2). A symbolic link is followed if it is
// relative and stays below root; otherwise the error is std::errc::permission_denied. Where the
// kernel has no openat2 (before 5.6, or in a sandbox) no symbolic link is followed:
// std::errc::too_many_symbolic_link_levels or std::errc::not_a_directory. Other errors are those of
// join_inside() and open(). Blocks. Go's Root.OpenFile.
result<file> open_inside(std::string_view root, std::string_view path, int flags = O_RDONLY, mode_t mode = 0666);
// Makes a file from a descriptor. A pipe, terminal or socket becomes non-blocking. Does not block.
// Go's os.NewFile.
result<file> adopt(net::unique_fd fd);
// Opens `path` for reading and writing, empty; creates it if it does not exist. Blocks. Go's
// os.Create.
result<file> create(std::string_view path);

// Return the state of a file; lstat() that of a symbolic link itself. Block. Go's os.Stat and
// os.Lstat.
result<info> stat(std::string_view path);
result<info> lstat(std::string_view path);
// Renames a file or a directory. Blocks. Go's os.Rename.
std::error_code rename(std::string_view from, std::string_view to);
// Removes a file or an empty directory. Blocks. Go's os.Remove.
std::error_code remove(std::string_view path);
// Creates a directory. Blocks. Go's os.Mkdir.
std::error_code mkdir(std::string_view path, mode_t mode = 0777);

// Returns the contents of a file. Blocks. Go's os.ReadFile.
result<std::string> read_file(std::string_view path);
// Writes `data` as the whole contents of a file; creates it if it does not exist. Blocks. Go's
// os.WriteFile.
std::error_code write_file(std::string_view path, std::string_view data, mode_t mode = 0666);

// An entry of a directory. Go's fs.DirEntry.
struct entry {
  std::string name;
  mode_t type = 0;  // S_IFDIR, S_IFREG, ...
  bool is_dir() const noexcept { return S_ISDIR(type); }
};
// Returns the entries of a directory, sorted by name, without "." and "..". Blocks. Go's
// os.ReadDir.
result<std::vector<entry>> read_dir(std::string_view path);

// What walk_dir does after a call of f: `on`: continues; `skip`: leaves out this directory, or the
// rest of the directory of this file; `stop`: returns.
enum class walk { on, skip, stop };
// The function that walk_dir calls, with an error `e` if the directory could not be read: f is
// called a second time for it.
using walk_fn = std::function<walk(const std::string& path, const entry& what, std::error_code e)>;
// Calls f for `root` and all files below it, in order of names. Does not follow symbolic links,
// except a root that ends in a slash. Blocks. Returns an error only if `root` cannot be read. Go's
// filepath.WalkDir.
std::error_code walk_dir(std::string_view root, const walk_fn& f);

}  // namespace weft::fs
