#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/fs.h>

#include <cerrno>
#include <cstring>

#include "net/fd/c_string.h"
#include "net/fd/open_socket.h"
#include "net/fs/file_requests.h"
#include "net/fs/open_file.h"
#include "net/poller/perform.h"

namespace weft::fs {

using namespace weft::detail;

namespace {

constexpr std::uint64_t where_it_stands = UINT64_MAX;

std::error_code error_of_result(int res) {
  return res < 0 ? std::error_code(-res, std::system_category()) : std::error_code();
}

std::error_code error_of_call(int res) { return res < 0 ? last_error() : std::error_code(); }

info info_of(const struct stat& s, std::string_view path) {
  info i;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto slash = path.rfind('/');
  i.name = path.size() > 1 && slash != std::string_view::npos ? path.substr(slash + 1) : path;
  i.size = static_cast<std::uint64_t>(s.st_size);
  i.mode = s.st_mode;
  // A file's time may be one that the clock, of 64 bits of nanoseconds, cannot hold.
  constexpr std::time_t least = -4'000'000'000, most = 9'000'000'000;  // from 1843 to 2255
  i.modified = std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::seconds(std::clamp<std::time_t>(s.st_mtim.tv_sec, least, most)) +
      std::chrono::nanoseconds(s.st_mtim.tv_nsec)));
  return i;
}

std::error_code not_a_path() { return make_error_code(std::errc::invalid_argument); }

// Pipes and their like wait as sockets do, regular files for the disk.
template <class OfStream, class OfFile>
outcome part(io_lock& t, const context* ctx, std::uint64_t at, auto* data, std::size_t size) {
  if (t.of().is_stream && at == where_it_stands) {
    OfStream rq(t.fd(), data, size);
    return perform(t, rq, ctx);
  }
  OfFile rq(t.fd(), data, size, at);
  // A pipe has no offsets. pread() and pwrite() say so, or do not block; the ring would write to
  // it.
  int res = t.of().is_stream ? -EINTR : perform_on_file(rq);
  while (res == -EINTR) res = rq.attempt();
  return res < 0 ? outcome{0, error_of_result(res)} : outcome{res, {}};
}

outcome read_part(descriptor* d, const context* ctx, std::uint64_t at, std::span<std::byte> buf) {
  io_lock t(d, direction_kind::reading, ctx);
  if (t.error()) return {0, t.error()};
  return part<read_stream_part, read_file_part>(t, ctx, at, buf.data(), buf.size());
}

result<std::size_t> read_some(descriptor* d, const context* ctx, std::span<std::byte> buf) {
  if (buf.empty()) return {};
  const outcome o = read_part(d, ctx, where_it_stands, buf);
  if (o.err) return {0, o.err};
  if (o.n == 0) return {0, errc::eof};
  return {static_cast<std::size_t>(o.n), {}};
}

// Until all is done; where it stands, or from an offset on. In one turn: what several write is not
// mixed.
result<std::size_t> write_from(descriptor* d, const context* ctx, std::uint64_t at, std::span<const std::byte> data) {
  io_lock t(d, direction_kind::writing, ctx);
  if (t.error()) return {0, t.error()};
  std::size_t done = 0;
  while (done < data.size()) {
    const auto rest = data.subspan(done);
    const outcome o = part<write_stream_part, write_file_part>(t, ctx, at == where_it_stands ? at : at + done,
                                                               rest.data(), rest.size());
    if (o.err) return {done, o.err};
    done += static_cast<std::size_t>(o.n);
  }
  return {done, {}};
}

// Whether epoll and io_uring wait for it: the kernel says so by EPERM. Pipes and sockets always,
// files and directories never; inotify, eventfd, timerfd and the like have no type, and of devices
// some.
result<bool> can_be_waited_for(int fd, mode_t mode) {
  if (S_ISFIFO(mode) || S_ISSOCK(mode)) return {true, {}};
  if (S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode)) return {false, {}};
  const owned_fd asked(epoll_create1(EPOLL_CLOEXEC));
  if (!asked) return {false, last_error()};
  epoll_event e{.events = EPOLLIN, .data = {.u64 = 0}};
  if (epoll_ctl(asked.get(), EPOLL_CTL_ADD, fd, &e) == 0) return {true, {}};
  if (errno == EPERM || errno == EBADF) return {false, {}};  // EBADF: O_PATH
  return {false, last_error()};
}

// Of what waits as sockets do; the others know no deadlines.
template <class Set>
std::error_code on_stream(descriptor* d, Set set) {
  const in_use hold(d);
  if (!hold) return errc::closed;
  if (!d->is_stream) return make_error_code(std::errc::operation_not_supported);
  set();
  return {};
}

}  // namespace

result<std::size_t> file::read(std::span<std::byte> buf) const { return read_some(d_.get(), nullptr, buf); }
result<std::size_t> file::read(const context& ctx, std::span<std::byte> buf) const {
  return read_some(d_.get(), &ctx, buf);
}

result<std::size_t> file::write(std::span<const std::byte> data) const {
  return write_from(d_.get(), nullptr, where_it_stands, data);
}
result<std::size_t> file::write(const context& ctx, std::span<const std::byte> data) const {
  return write_from(d_.get(), &ctx, where_it_stands, data);
}

std::error_code file::set_deadline(time_point at) const {
  return on_stream(d_.get(), [&] { socket::set_deadline(at); });
}
std::error_code file::set_read_deadline(time_point at) const {
  return on_stream(d_.get(), [&] { socket::set_read_deadline(at); });
}
std::error_code file::set_write_deadline(time_point at) const {
  return on_stream(d_.get(), [&] { socket::set_write_deadline(at); });
}

result<std::size_t> file::read_at(std::span<std::byte> buf, std::uint64_t offset) const {
  if (offset > INT64_MAX) return {0, make_error_code(std::errc::invalid_argument)};
  std::size_t done = 0;
  while (done < buf.size()) {
    const auto rest = buf.subspan(done);
    const outcome o = read_part(d_.get(), nullptr, offset + done, rest);
    if (o.err) return {done, o.err};
    if (o.n == 0) return {done, errc::eof};
    done += static_cast<std::size_t>(o.n);
  }
  return {done, {}};
}

result<std::size_t> file::write_at(std::span<const std::byte> data, std::uint64_t offset) const {
  if (offset > INT64_MAX) return {0, make_error_code(std::errc::invalid_argument)};
  return write_from(d_.get(), nullptr, offset, data);
}

std::error_code file::fsync() const {
  const in_use hold(d_.get());
  if (!hold) return errc::closed;
  sync_file rq(d_.get()->fd());
  return error_of_result(perform_on_file(rq));
}

std::error_code file::truncate(std::uint64_t size) const {
  const in_use hold(d_.get());
  if (!hold) return errc::closed;
  return on_disk_thread([&] { return error_of_call(ftruncate(d_.get()->fd(), static_cast<off_t>(size))); });
}

result<info> file::stat() const {
  const in_use hold(d_.get());
  if (!hold) return {{}, errc::closed};
  struct stat s {};
  if (fstat(d_.get()->fd(), &s) != 0) return {{}, last_error()};
  return {info_of(s, {}), {}};
}

result<file> open(std::string_view path, int flags, mode_t mode) {
  if (has_nul(path)) return {{}, not_a_path()};
  const std::string at(path);
  return open_by(flags, [&](int how) {
    open_file rq(at.c_str(), how | O_CLOEXEC, mode);
    return perform_on_file(rq);
  });
}

result<file> adopt(net::unique_fd fd) {
  struct stat s {};
  if (fstat(fd.get(), &s) != 0) return {{}, last_error()};
  const result<bool> waits = can_be_waited_for(fd.get(), s.st_mode);
  if (waits.err) return {{}, waits.err};
  auto* d = new descriptor(fd.get(), {}, {});
  fd.release();
  d->is_stream = waits.value;
  if (d->is_stream) set_blocking(d->fd(), false);
  return {file(descriptor_ref(d)), {}};
}

result<file> create(std::string_view path) { return open(path, O_RDWR | O_CREAT | O_TRUNC); }

result<info> stat(std::string_view path) {
  if (has_nul(path)) return {{}, not_a_path()};
  return on_disk_thread([at = std::string(path)]() -> result<info> {
    struct stat s {};
    if (::stat(at.c_str(), &s) != 0) return {{}, last_error()};
    return {info_of(s, at), {}};
  });
}

result<info> lstat(std::string_view path) {
  if (has_nul(path)) return {{}, not_a_path()};
  return on_disk_thread([at = std::string(path)]() -> result<info> {
    struct stat s {};
    if (::lstat(at.c_str(), &s) != 0) return {{}, last_error()};
    return {info_of(s, at), {}};
  });
}

std::error_code rename(std::string_view from, std::string_view to) {
  if (has_nul(from) || has_nul(to)) return not_a_path();
  return on_disk_thread(
      [a = std::string(from), b = std::string(to)] { return error_of_call(::rename(a.c_str(), b.c_str())); });
}
std::error_code remove(std::string_view path) {
  if (has_nul(path)) return not_a_path();
  return on_disk_thread([at = std::string(path)] { return error_of_call(::remove(at.c_str())); });
}
std::error_code mkdir(std::string_view path, mode_t mode) {
  if (has_nul(path)) return not_a_path();
  return on_disk_thread([at = std::string(path), mode] { return error_of_call(::mkdir(at.c_str(), mode)); });
}

result<std::string> read_file(std::string_view path) {
  auto [f, err] = open(path);
  if (err) return {{}, err};
  const auto [i, unknown] = f.stat();
  std::string all;
  constexpr std::size_t at_least = 512;  // files of /proc say that they are empty
  all.resize(std::max<std::size_t>(i.is_regular() ? i.size + 1 : 0, at_least));
  for (std::size_t n = 0;;) {
    if (n == all.size()) all.resize(2 * n);
    auto [got, e] = f.read(std::as_writable_bytes(std::span(all)).subspan(n));
    if (e && e != errc::eof) return {{}, e};
    n += got;
    if (!e) continue;
    all.resize(n);
    return {std::move(all), {}};
  }
}

std::error_code write_file(std::string_view path, std::string_view data, mode_t mode) {
  auto [f, err] = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  if (err) return err;
  if (const std::error_code e = f.write(data).err) return e;
  return f.close();
}

}  // namespace weft::fs
