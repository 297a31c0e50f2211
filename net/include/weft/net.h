// Sockets with blocking calls: the fiber waits, and its thread runs other fibers. Go's net.
//
//   weft::net::listener l = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
//   for (;;) {
//     auto [c, err] = l.accept();
//     if (err) break;
//     weft::go([c = c] { while (auto r = c.receive()) if (c.write(r.value).err) break; });
//   }
//
// A handle is shared: copies name the same descriptor, and the destructor of the last copy closes
// it. All functions may be called from any number of fibers and plain threads, not from signal
// handlers; plain threads block. One fiber may read while another writes; concurrent reads queue,
// and so do concurrent writes.
//
// Errors are the system's, and: errc::eof at the end of a stream, errc::closed after close(),
// errc::timeout after a deadline, the context's error. A read with an error has read nothing.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline_setters.h>
#include <weft/endpoint.h>
#include <weft/errors.h>
#include <weft/received.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::detail {

class descriptor;
void add_ref(descriptor* d) noexcept;
void drop_ref(descriptor* d) noexcept;
std::error_code raw_control(descriptor* d, bool (*f)(void*, int), void* arg);
std::error_code raw_calls(descriptor* d, bool writes, const context* ctx, bool (*f)(void*, int), void* arg);

// One handle to a descriptor, or none.
class descriptor_ref {
 public:
  descriptor_ref() noexcept = default;
  explicit descriptor_ref(descriptor* adopted) noexcept : d_(adopted) {}
  descriptor_ref(const descriptor_ref& o) noexcept : d_(o.d_) {
    if (d_) add_ref(d_);
  }
  descriptor_ref(descriptor_ref&& o) noexcept : d_(std::exchange(o.d_, nullptr)) {}
  descriptor_ref& operator=(descriptor_ref o) noexcept {
    std::swap(d_, o.d_);
    return *this;
  }
  ~descriptor_ref() {
    if (d_) drop_ref(d_);
  }
  descriptor* get() const noexcept { return d_; }

 private:
  descriptor* d_ = nullptr;
};

}  // namespace weft::detail

namespace weft::net {

// Errors of addresses and messages for which the system has no code.
enum class errc {
  unknown_network = 1,
  missing_port,
  bad_port,
  bad_address,
  name_too_long,
  no_address,
  // Of conn::send_fds and recv_fds.
  too_many_descriptors,  // more than max_fds in one message
  descriptors_lost,  // the message had more than fit, or than this process may open
};
// Returns the category of errc. Does not block.
const std::error_category& net_category() noexcept;
// Returns the std::error_code of `e`. Does not block.
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), net_category()}; }
// Returns the category of the errors of name lookup: the EAI_ codes of getaddrinfo(3).
const std::error_category& lookup_category() noexcept;

class packet_conn;
struct fd_message;
// The most descriptors in one message: the kernel's limit.
inline constexpr std::size_t max_fds = 253;

// The functions that all sockets have.
class socket : public weft::detail::deadline_setters<socket> {
 public:
  // Empty: every operation returns errc::closed.
  socket() noexcept = default;

  // Closes the descriptor: operations that wait on it return errc::closed. Returns errc::closed if
  // it was closed before. Does not block. Go's Close.
  std::error_code close() const;

  // Set the time after which operations return errc::timeout, waiting operations included, until
  // the next call. time_point::max(): no deadline. Do not block. Go's SetDeadline, SetReadDeadline
  // and SetWriteDeadline.
  void set_deadline(time_point at = time_point::max()) const;
  void set_read_deadline(time_point at = time_point::max()) const;
  void set_write_deadline(time_point at = time_point::max()) const;
  using deadline_setters::set_deadline;  // for any clock
  using deadline_setters::set_read_deadline;
  using deadline_setters::set_write_deadline;

  // Calls setsockopt(2) with `size` bytes of `value`, or with an int. Errors: the system's. Does
  // not block.
  std::error_code set_option(int level, int name, const void* value, std::size_t size) const;
  std::error_code set_option(int level, int name, int value) const {
    return set_option(level, name, &value, sizeof value);
  }
  // Set the size of the kernel's buffer, in bytes. Errors: the system's. Do not block. Go's
  // SetReadBuffer and SetWriteBuffer.
  std::error_code set_read_buffer(int bytes) const;
  std::error_code set_write_buffer(int bytes) const;
  // True, the default: small writes are sent immediately. Errors: the system's. Does not block.
  // Go's SetNoDelay.
  std::error_code set_no_delay(bool on) const;
  // Sets how long a connection is idle before the kernel probes the peer, and the time between
  // probes. Default: 15 s. 0: no probes. Rounds up to seconds. Errors: the system's. Does not
  // block. Go's SetKeepAlivePeriod.
  std::error_code set_keep_alive(duration idle) const;
  // Sets how many seconds close() waits for unsent data. -1, the default: the kernel sends it in
  // the background. 0: drops it and resets the connection. Errors: the system's. Go's SetLinger.
  std::error_code set_linger(int seconds) const;

  // Calls f(fd), which must not block. The number belongs to this socket until f returns. Returns
  // errc::closed if the socket is closed. Does not block. Go's RawConn.Control.
  template <class F>
  std::error_code raw_control(F&& f) const {
    const auto call = [&f](int fd) {
      f(fd);
      return true;
    };
    return weft::detail::raw_control(d_.get(), call_of(call), address_of(call));
  }
  // Call f(fd), which makes a system call that must not block, until f returns true: once
  // immediately, then each time the descriptor may be ready. They queue with other reads or writes,
  // and block until f returns true. The number belongs to this socket until f returns. Errors:
  // errc::closed, errc::timeout; with ctx: ctx's error. Go's RawConn.Read and RawConn.Write.
  template <class F>
  std::error_code raw_read(F&& f) const {
    return weft::detail::raw_calls(d_.get(), false, nullptr, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_read(const context& ctx, F&& f) const {
    return weft::detail::raw_calls(d_.get(), false, &ctx, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_write(F&& f) const {
    return weft::detail::raw_calls(d_.get(), true, nullptr, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_write(const context& ctx, F&& f) const {
    return weft::detail::raw_calls(d_.get(), true, &ctx, call_of(f), address_of(f));
  }

  // Returns the descriptor's number, for options that weft has no function for; -1 if closed. The
  // socket keeps the descriptor, which must stay non-blocking. Does not block.
  int fd() const noexcept;
  // Returns true if it is not closed.
  explicit operator bool() const noexcept;
  friend bool operator==(const socket& a, const socket& b) noexcept { return a.d_.get() == b.d_.get(); }

  // For weft itself.
  explicit socket(weft::detail::descriptor_ref d) noexcept : d_(std::move(d)) {}

 protected:
  weft::detail::descriptor_ref d_;

 private:
  template <class F>
  static auto call_of(F&) noexcept -> bool (*)(void*, int) {
    return [](void* at, int fd) -> bool { return (*static_cast<F*>(at))(fd); };
  }
  template <class F>
  static void* address_of(F& f) noexcept {
    return const_cast<void*>(static_cast<const void*>(std::addressof(f)));
  }
};

// A connection: a stream, or a Unix socket that keeps packets apart. Go's net.Conn.
class conn : public socket {
 public:
  using socket::socket;

  // Blocks until there is data, and reads at most buf.size() bytes; returns 0 immediately for an
  // empty buf. Errors: errc::eof at the end of the stream, the system's; with ctx: ctx's error.
  // Go's Read.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Receives without a buffer of the caller: blocks until there is data. Messages of up to 1 KiB
  // are returned inline in `received`, larger ones in a pooled buffer, at most received::most
  // bytes; longer packets are truncated. For many connections that are silent for long. While data
  // comes often, and for packets, it takes a buffer before it waits; throws std::bad_alloc if there
  // is no memory for one. Errors as of read(). Go has no such function.
  result<received> receive() const;
  result<received> receive(const context& ctx) const;
  // Blocks until all of `data` is written. With an error, the value is the number of bytes that
  // were written. With ctx: ctx's error. Go's Write.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }
  result<std::size_t> write(const context& ctx, std::string_view text) const {
    return write(ctx, std::as_bytes(std::span(text)));
  }

  // Blocks until all pieces are written, in order, with as few system calls as possible. Returns as
  // write(). Go's net.Buffers.
  result<std::size_t> write_v(std::span<const std::span<const std::byte>> pieces) const;
  result<std::size_t> write_v(const context& ctx, std::span<const std::span<const std::byte>> pieces) const;
  // Sends at most `count` bytes of an open file from `offset` on, fewer if the file ends before,
  // without a copy through user memory. Blocks until they are written. Returns the number of bytes,
  // also with an error. Go's io.Copy from a file.
  result<std::uint64_t> send_file(int file, std::uint64_t offset, std::uint64_t count) const;

  // Unix sockets: writes as write(), and passes descriptors with the first byte. The descriptors
  // must stay open until it returns, and still belong to the caller. Errors:
  // errc::too_many_descriptors, std::errc::operation_not_supported for other sockets, those of
  // write(). Throws weft::panic for descriptors without data. Blocks. Go's WriteMsgUnix.
  result<std::size_t> send_fds(std::span<const std::byte> data, std::span<const int> fds) const;
  result<std::size_t> send_fds(const context& ctx, std::span<const std::byte> data, std::span<const int> fds) const;
  // Reads as read(), and receives at most `most` descriptors; fd_message is in weft/pass.h. Error:
  // errc::descriptors_lost if the message had more; then all of its descriptors are closed, the
  // bytes are in buf and value.n is their number. A plain read() closes descriptors that come with
  // its data. Blocks. Go's ReadMsgUnix.
  result<fd_message> recv_fds(std::span<std::byte> buf, std::size_t most = max_fds) const;
  result<fd_message> recv_fds(const context& ctx, std::span<std::byte> buf, std::size_t most = max_fds) const;

  // Shut down one direction: close_read() ends local reads; close_write() sends end of stream to
  // the peer. Errors: the system's, errc::closed. Do not block. Go's CloseRead and CloseWrite.
  std::error_code close_read() const;
  std::error_code close_write() const;

  // Return the address of this end, and of the peer, valid as long as a handle exists. Do not
  // block. Go's LocalAddr and RemoteAddr.
  const endpoint& local_addr() const;
  const endpoint& remote_addr() const;
};

// Copies from one connection to another until the end of the stream, without a way through the
// program's memory where the kernel can (splice). Blocks. Returns the number of bytes that were
// written, with the error that ended it; no error at the end of the stream. Closes nothing. With
// ctx: ctx's error when it is done. Go's io.Copy.
result<std::uint64_t> copy(const conn& to, const conn& from);
result<std::uint64_t> copy(const context& ctx, const conn& to, const conn& from);

// A socket that accepts connections. Go's net.Listener.
class listener : public socket {
 public:
  using socket::socket;
  // Blocks until a connection comes. Skips connections that were aborted before. Errors: the
  // system's, errc::closed, errc::timeout; with ctx: ctx's error. Go's Accept.
  result<conn> accept() const;
  result<conn> accept(const context& ctx) const;
  // Returns the address that it listens at, with the port that was chosen. Go's Addr.
  const endpoint& addr() const;
};

// The size of a datagram, in bytes, and its sender.
struct datagram {
  std::size_t n = 0;
  endpoint from;
};

// A socket for datagrams: UDP, or Unix. Go's net.PacketConn.
class packet_conn : public socket {
 public:
  using socket::socket;
  // Blocks until a datagram comes. What does not fit buf is cut off. Errors: the system's,
  // errc::closed, errc::timeout; with ctx: ctx's error. Go's ReadFrom.
  result<datagram> read_from(std::span<std::byte> buf) const;
  result<datagram> read_from(const context& ctx, std::span<std::byte> buf) const;
  // Blocks until the kernel takes the datagram. Errors as of read_from(). Go's WriteTo.
  result<std::size_t> write_to(std::span<const std::byte> data, const endpoint& to) const;
  result<std::size_t> write_to(const context& ctx, std::span<const std::byte> data, const endpoint& to) const;
  // Returns the address of this socket. Go's LocalAddr.
  const endpoint& local_addr() const;
};

// Opens a socket for datagrams. `network`: udp, udp4, udp6, unixgram. The kernel chooses a name for
// an empty Unix address. Blocks while a name is looked up. Errors: errc, lookup_category(), the
// system's. Go's net.ListenPacket.
result<packet_conn> listen_packet(std::string_view network, std::string_view address);
// Returns the first address of `address` in `network`. Blocks while a name is looked up. Errors:
// errc, lookup_category(). Go's net.ResolveTCPAddr.
result<endpoint> resolve(std::string_view network, std::string_view address);

// Opens a listener. `network`: tcp, tcp4, tcp6, unix, unixpacket. `address`: "host:port"; ":port"
// for all interfaces; port 0 for a free one; host and port may be names; a path or "@name" for Unix
// sockets. The file of a Unix listener is removed when the listener closes. Blocks while a name is
// looked up. Errors: errc, lookup_category(), the system's; with ctx: ctx's error. Go's net.Listen.
result<listener> listen(std::string_view network, std::string_view address);
result<listener> listen(const context& ctx, std::string_view network, std::string_view address);

// How to connect. Go's net.Dialer.
struct dialer {
  duration timeout{0};  // 0: only the system's
  // A name with addresses of both families: the time after which the other family is tried too.
  // Negative: only after the first has failed.
  duration fallback_delay = std::chrono::milliseconds(300);
  std::string_view local = {};  // the local address, "192.0.2.7:0"; empty: the system chooses

  // Blocks until connected. `network`: tcp, udp (with 4 or 6), unix, unixgram, unixpacket. Errors:
  // errc, lookup_category(), the system's, errc::timeout; with ctx: ctx's error. Go's Dialer.Dial.
  result<conn> dial(std::string_view network, std::string_view address) const;
  result<conn> dial(const context& ctx, std::string_view network, std::string_view address) const;
};

// As dialer::dial with the default dialer. Go's net.Dial.
result<conn> dial(std::string_view network, std::string_view address);
result<conn> dial(const context& ctx, std::string_view network, std::string_view address);
// As dial(); returns errc::timeout after `limit`. Go's net.DialTimeout.
result<conn> dial_timeout(std::string_view network, std::string_view address, duration limit);

// Return the addresses of a host from the system's resolver, which runs on another thread. Block.
// Errors: lookup_category(); with ctx: ctx's error. Go's net.LookupHost.
result<std::vector<endpoint>> lookup_host(std::string_view host);
result<std::vector<endpoint>> lookup_host(const context& ctx, std::string_view host);

// Block until a descriptor that weft does not own can be read or written, or has failed. It must
// stay open during the call. Errors: the system's; with ctx: ctx's error.
std::error_code wait_readable(int fd);
std::error_code wait_writable(int fd);
std::error_code wait_readable(const context& ctx, int fd);
std::error_code wait_writable(const context& ctx, int fd);

}  // namespace weft::net

template <>
struct std::is_error_code_enum<weft::net::errc> : std::true_type {};
