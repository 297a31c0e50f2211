// Sockets, used as if they blocked: the fiber waits, its thread goes on with others. Go's net.
//
//   weft::net::listener l = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
//   for (;;) {
//     auto [c, err] = l.accept();
//     if (err) break;
//     weft::go([c = c] { while (auto r = c.receive()) if (c.write(r.value).err) break; });
//   }
//
// A handle is shared: copies name the same descriptor, and the last that goes closes it. All may be used from
// many fibers, and from plain threads, which then block. One fiber may read while another writes; reads of
// several queue, as do writes.
//
// Errors are those of the system, and: errc::eof at the end of a stream, errc::closed after close, errc::timeout
// past a deadline, a context's own. An error of read means that nothing was read.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/deadline.h>
#include <weft/endpoint.h>
#include <weft/errors.h>
#include <weft/received.h>

#include <chrono>
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
void keep(descriptor* d) noexcept;
void let_go(descriptor* d) noexcept;
std::error_code raw_control(descriptor* d, bool (*f)(void*, int), void* arg);
std::error_code raw_calls(descriptor* d, bool writes, const context* ctx, bool (*f)(void*, int), void* arg);

// One handle to a descriptor, or none.
class descriptor_ref {
 public:
  descriptor_ref() noexcept = default;
  explicit descriptor_ref(descriptor* adopted) noexcept : d_(adopted) {}
  descriptor_ref(const descriptor_ref& o) noexcept : d_(o.d_) {
    if (d_) keep(d_);
  }
  descriptor_ref(descriptor_ref&& o) noexcept : d_(std::exchange(o.d_, nullptr)) {}
  descriptor_ref& operator=(descriptor_ref o) noexcept {
    std::swap(d_, o.d_);
    return *this;
  }
  ~descriptor_ref() {
    if (d_) let_go(d_);
  }
  descriptor* get() const noexcept { return d_; }

 private:
  descriptor* d_ = nullptr;
};

}  // namespace weft::detail

namespace weft::net {

// What is wrong with an address or a message, where the system has no word for it.
enum class errc {
  unknown_network = 1,
  missing_port,
  bad_port,
  bad_address,
  name_too_long,
  no_address,
  // Of conn::send_fds and recv_fds.
  too_many_descriptors,  // more than most_fds in one message
  descriptors_lost,      // more came than there was room for, or than this process may open
};
const std::error_category& net_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), net_category()}; }
// Errors of name lookup: EAI_NONAME and its like.
const std::error_category& lookup_category() noexcept;

class packet_conn;
struct fd_message;
// Descriptors in one message, by the kernel's limit.
inline constexpr std::size_t most_fds = 253;

// What all sockets have.
class socket {
 public:
  // None: every operation returns errc::closed.
  socket() noexcept = default;

  // Ends whatever waits on it with errc::closed, and closes it. errc::closed if it was closed before.
  std::error_code close() const;

  // From this time on operations return errc::timeout, those that wait already included, until it is set
  // anew. time_point::max() and the default: no deadline. Go's SetDeadline.
  void set_deadline(time_point at = time_point::max()) const;
  void set_read_deadline(time_point at = time_point::max()) const;
  void set_write_deadline(time_point at = time_point::max()) const;
  template <class Clock, class D>
  void set_deadline(std::chrono::time_point<Clock, D> at) const {
    set_deadline(time_point(duration(detail::deadline_of(at))));
  }
  template <class Clock, class D>
  void set_read_deadline(std::chrono::time_point<Clock, D> at) const {
    set_read_deadline(time_point(duration(detail::deadline_of(at))));
  }
  template <class Clock, class D>
  void set_write_deadline(std::chrono::time_point<Clock, D> at) const {
    set_write_deadline(time_point(duration(detail::deadline_of(at))));
  }

  // setsockopt and its most wanted cases. Bytes of the kernel's buffers; whether small writes go at once (they
  // do by default); how long an idle connection goes unprobed (15 s by default; 0: for ever); how many seconds
  // close waits for unsent data (-1: it goes on in the background, 0: a reset).
  std::error_code set_option(int level, int name, const void* value, std::size_t size) const;
  std::error_code set_option(int level, int name, int value) const {
    return set_option(level, name, &value, sizeof value);
  }
  std::error_code set_read_buffer(int bytes) const;
  std::error_code set_write_buffer(int bytes) const;
  std::error_code set_no_delay(bool on) const;
  std::error_code set_keep_alive(duration idle) const;
  std::error_code set_linger(int seconds) const;

  // System calls of the caller's own, which must not wait. raw_control calls f(fd) at once. The others call
  // f(fd) -> bool in their turn, at once and then whenever it may be worth a try, until it is true; they end as read
  // and write do. The number is this socket's until f returns. Go's SyscallConn.
  template <class F>
  std::error_code raw_control(F&& f) const {
    const auto call = [&f](int fd) {
      f(fd);
      return true;
    };
    return detail::raw_control(d_.get(), call_of(call), address_of(call));
  }
  template <class F>
  std::error_code raw_read(F&& f) const {
    return detail::raw_calls(d_.get(), false, nullptr, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_read(const context& ctx, F&& f) const {
    return detail::raw_calls(d_.get(), false, &ctx, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_write(F&& f) const {
    return detail::raw_calls(d_.get(), true, nullptr, call_of(f), address_of(f));
  }
  template <class F>
  std::error_code raw_write(const context& ctx, F&& f) const {
    return detail::raw_calls(d_.get(), true, &ctx, call_of(f), address_of(f));
  }

  // The number, for options that are not here; -1 once closed. It stays the socket's own, and non-blocking.
  int fd() const noexcept;
  // Not closed.
  explicit operator bool() const noexcept;
  friend bool operator==(const socket& a, const socket& b) noexcept { return a.d_.get() == b.d_.get(); }

  // For weft itself.
  explicit socket(detail::descriptor_ref d) noexcept : d_(std::move(d)) {}

 protected:
  detail::descriptor_ref d_;

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

// A connection: a stream, or a Unix socket that keeps packets apart.
class conn : public socket {
 public:
  using socket::socket;

  // Waits for something and reads at most buf.size() bytes; 0 for an empty buf, at once.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Waits without a buffer. A small message comes with what is returned, which is a kilobyte large, a larger one in a
  // buffer that is taken for it: at most received::most bytes, a longer packet is cut off. For connections that are
  // silent for long, and where there are many. While much comes, and of packets, it waits with a buffer: then throws
  // std::bad_alloc, before it waits, if there is no memory for one. Go has none.
  result<received> receive() const;
  result<received> receive(const context& ctx) const;
  // Writes all; with an error: how much of it.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }

  // All pieces, in order, with as few system calls as there can be. Go's net.Buffers.
  result<std::size_t> write_v(std::span<const std::span<const std::byte>> pieces) const;
  result<std::size_t> write_v(const context& ctx, std::span<const std::span<const std::byte>> pieces) const;
  // At most `count` bytes of an open file from `offset` on, fewer if it ends before, without a copy.
  result<std::uint64_t> send_file(int file, std::uint64_t offset, std::uint64_t count) const;

  // Unix sockets: writes as write does, and descriptors that travel with the first byte. They must stay open until it
  // returns, and stay the caller's. errc::too_many_descriptors; std::errc::operation_not_supported if it is no Unix
  // socket. Throws weft::panic for descriptors without data. weft/pass.h.
  result<std::size_t> send_fds(std::span<const std::byte> data, std::span<const int> fds) const;
  result<std::size_t> send_fds(const context& ctx, std::span<const std::byte> data, std::span<const int> fds) const;
  // Reads as read does, and at most so many descriptors. errc::descriptors_lost: there were more. Then all are closed,
  // but the bytes are in buf, and value.n says how many. A plain read drops descriptors that come with its data.
  result<fd_message> recv_fds(std::span<std::byte> buf, std::size_t most = most_fds) const;
  result<fd_message> recv_fds(const context& ctx, std::span<std::byte> buf, std::size_t most = most_fds) const;

  // Half of it: the own reads end, or the peer's.
  std::error_code close_read() const;
  std::error_code close_write() const;

  const endpoint& local_addr() const;
  const endpoint& remote_addr() const;
};

class listener : public socket {
 public:
  using socket::socket;
  // The next connection. Aborted ones are passed over.
  result<conn> accept() const;
  result<conn> accept(const context& ctx) const;
  const endpoint& addr() const;
};

// What came, and from whom.
struct datagram {
  std::size_t n = 0;
  endpoint from;
};

// Datagrams: UDP, or Unix.
class packet_conn : public socket {
 public:
  using socket::socket;
  // Waits for a datagram. What is longer than buf is cut off.
  result<datagram> read_from(std::span<std::byte> buf) const;
  result<datagram> read_from(const context& ctx, std::span<std::byte> buf) const;
  result<std::size_t> write_to(std::span<const std::byte> data, const endpoint& to) const;
  result<std::size_t> write_to(const context& ctx, std::span<const std::byte> data, const endpoint& to) const;
  const endpoint& local_addr() const;
};

// `network`: udp, udp4, udp6, unixgram. An empty Unix address: the kernel finds a name.
result<packet_conn> listen_packet(std::string_view network, std::string_view address);
// The first address that it has there. Asks the resolver for names.
result<endpoint> resolve(std::string_view network, std::string_view address);

// `network`: tcp, tcp4, tcp6, unix, unixpacket. `address`: "host:port", ":port" for all interfaces, port 0 for one
// that is free, a name for either; a path or "@name" for Unix sockets. The file of a Unix listener goes with it.
result<listener> listen(std::string_view network, std::string_view address);
result<listener> listen(const context& ctx, std::string_view network, std::string_view address);

// How to connect. Go's Dialer.
struct dialer {
  duration timeout{0};  // 0: none but the system's
  // A name with addresses of both families: when to try the other one besides. Negative: only after the first.
  duration fallback_delay = std::chrono::milliseconds(300);
  std::string_view local = {};  // the own address, if it matters; "192.0.2.7:0"

  result<conn> dial(std::string_view network, std::string_view address) const;
  result<conn> dial(const context& ctx, std::string_view network, std::string_view address) const;
};

// Connects, with a dialer as it is made. tcp, udp (with 4 or 6), unix, unixgram, unixpacket.
result<conn> dial(std::string_view network, std::string_view address);
result<conn> dial(const context& ctx, std::string_view network, std::string_view address);
// At most for so long: errc::timeout then.
result<conn> dial_timeout(std::string_view network, std::string_view address, duration limit);

// The addresses of a host, by the system's resolver, on a thread of its own.
result<std::vector<endpoint>> lookup_host(std::string_view host);
result<std::vector<endpoint>> lookup_host(const context& ctx, std::string_view host);

// Wait until a descriptor that is not ours can be read or written, or is broken. It must stay open meanwhile.
std::error_code wait_readable(int fd);
std::error_code wait_writable(int fd);
std::error_code wait_readable(const context& ctx, int fd);
std::error_code wait_writable(const context& ctx, int fd);

}  // namespace weft::net

template <>
struct std::is_error_code_enum<weft::net::errc> : std::true_type {};
