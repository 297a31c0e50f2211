// TLS 1.2 and 1.3 over any stream socket, used as net's connections are. Go's crypto/tls.
//
//   weft::tls::config c;
//   c.certificate = weft::tls::load_certificate("server.pem", "server.key").unwrap();
//   auto l = weft::tls::listen("tcp", ":443", c).unwrap();
//
//   auto c = weft::tls::dial("tcp", "example.org:443").unwrap();   // trusts whom the system trusts
//
// Handles are shared, and all may be used from many fibers and plain threads, as net's: one fiber may read while
// another writes and a third closes.
//
// Errors are those of net, and those of tls_category(), which are compared with the conditions in errc and whose
// message() says what to do. errc::eof is the peer's word that there is no more; a stream that ends without it is
// errc::unexpected_eof. An error of the handshake or of the encryption ends the connection for good: all that
// follows returns it too. So does an error in the middle of a write. One of a context or a deadline during a
// handshake or a read ends only that call.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/endpoint.h>
#include <weft/errors.h>
#include <weft/net.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::tls {

namespace impl {
struct key_pair;
struct trust;
class session;
}  // namespace impl

// What an error means, for programs. An error may mean several: an expired certificate is a bad one too.
enum class errc {
  unexpected_eof = 1,   // the connection ended and the peer had not said that it would: io.ErrUnexpectedEOF
  closed_in_handshake,  // the peer left before the two had agreed
  not_tls,              // the peer speaks something else
  http_request,         // ... namely HTTP
  bad_certificate,      // the peer's certificate was refused here
  expired,              // ... it is too old, or too new
  unknown_authority,    // ... nobody in the roots vouches for it
  wrong_host,           // ... it is for another host
  no_certificate,       // the peer has shown none, and must
  refused,              // the peer ended it and said why: often it refused the certificate of this side
  no_common,            // the two have no version, cipher or protocol in common
  bad_pem,              // a certificate or a key cannot be read, or the two do not belong together
};
const std::error_category& tls_category() noexcept;
inline std::error_condition make_error_condition(errc e) noexcept { return {static_cast<int>(e), tls_category()}; }

// A chain and its key: who one is. A shared handle; empty: nobody. Go's tls.Certificate.
class certificate {
 public:
  certificate() noexcept = default;
  explicit operator bool() const noexcept { return it_ != nullptr; }

  // For weft itself.
  explicit certificate(std::shared_ptr<const impl::key_pair> it) noexcept : it_(std::move(it)) {}
  const impl::key_pair* get() const noexcept { return it_.get(); }

 private:
  std::shared_ptr<const impl::key_pair> it_;
};

// Whom one trusts. A shared handle; as it is made: whom the system trusts. Go's x509.CertPool.
class roots {
 public:
  roots() noexcept = default;

  // For weft itself.
  explicit roots(std::shared_ptr<const impl::trust> it) noexcept : it_(std::move(it)) {}
  const impl::trust* get() const noexcept { return it_.get(); }

 private:
  std::shared_ptr<const impl::trust> it_;
};

// PEM: the own certificate first, then those that lead to a root. A key with a password is errc::bad_pem, as is one of
// another certificate. Files' errors are the system's. Go's LoadX509KeyPair and X509KeyPair.
result<certificate> load_certificate(std::string_view certificate_file, std::string_view key_file);
result<certificate> parse_certificate(std::string_view certificate_pem, std::string_view key_pem);
// PEM: any number of certificates, but not none.
result<roots> load_roots(std::string_view file);
result<roots> parse_roots(std::string_view pem);

enum class version { tls_1_2, tls_1_3 };

// What a server wants of its clients.
enum class client_auth {
  none,
  if_given,   // a certificate that is shown must be good
  required,
};

struct config {
  tls::certificate certificate = {};     // a server must have one
  tls::roots roots = {};                 // for the peer's certificate
  client_auth clients = client_auth::none;
  // A client's: the host that the certificate must be for, a name or an address. Empty: the one that is dialled.
  std::string server_name = {};
  // Talks to whoever answers. For tests.
  bool insecure_skip_verify = false;
  // Protocols to agree on, the server's favourite first: "h2", "http/1.1". Servers that share none refuse.
  std::vector<std::string> alpn = {};
  version min_version = version::tls_1_2;
  // From the handshake's begin to its end: errc::timeout then. 0: as long as the deadlines let it.
  duration handshake_time = std::chrono::seconds(10);
};

// What has been agreed.
struct connection_state {
  bool complete = false;       // the handshake is; else all of this is empty
  std::string version;         // "TLSv1.3"
  std::string cipher;          // "TLS_AES_256_GCM_SHA384"
  std::string alpn;            // empty: none
  std::string server_name;     // whom the client wanted, if it said so
  std::string peer_subject;    // "CN=example.org,O=Example"; empty: no certificate
  bool verified = false;       // the peer's certificate has been checked and is good
};

// A stream. As net::conn where not said otherwise.
class conn {
 public:
  // None: every operation returns errc::closed.
  conn() noexcept = default;

  // The first read or write does it where nobody has before. Bounded by the earlier one of the deadlines, the context
  // and config::handshake_time. Go's Handshake.
  std::error_code handshake() const;
  std::error_code handshake(const context& ctx) const;

  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Writes all; with an error: how much has certainly gone to the system, and nothing more can be written.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }

  // Tells the peer that there is no more; its words can still be read. The socket stays open both ways.
  std::error_code close_write() const;
  // As net::conn's; tells the peer first, if that is possible without waiting. So does the last handle that goes.
  std::error_code close() const;

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

  tls::connection_state connection_state() const;
  const net::endpoint& local_addr() const;
  const net::endpoint& remote_addr() const;
  // What it stands on, for its options. Reading or writing there breaks the stream. Go's NetConn.
  const net::conn& net_conn() const;
  explicit operator bool() const noexcept;
  friend bool operator==(const conn& a, const conn& b) noexcept { return a.s_ == b.s_; }

  // For weft itself.
  explicit conn(std::shared_ptr<impl::session> s) noexcept : s_(std::move(s)) {}

 private:
  std::shared_ptr<impl::session> s_;
};

// Wrap what is connected already. Return at once; the connection belongs to the result. Throw weft::panic for a client
// that has neither server_name nor insecure_skip_verify, a server without certificate, and a malformed config::alpn.
// Go's tls.Client and tls.Server.
conn client(net::conn c, const config& how);
conn server(net::conn c, const config& how);

class listener {
 public:
  listener() noexcept = default;
  // Throws weft::panic as server(). Go's tls.NewListener.
  listener(net::listener l, config how);

  // The next connection, before its handshake: a client that is slow with that holds up nobody else.
  result<conn> accept() const;
  result<conn> accept(const context& ctx) const;
  std::error_code close() const { return l_.close(); }
  void set_deadline(time_point at = time_point::max()) const { l_.set_deadline(at); }
  template <class Clock, class D>
  void set_deadline(std::chrono::time_point<Clock, D> at) const {
    l_.set_deadline(at);
  }
  const net::endpoint& addr() const { return l_.addr(); }
  const net::listener& net_listener() const { return l_; }
  explicit operator bool() const noexcept { return static_cast<bool>(l_); }
  friend bool operator==(const listener& a, const listener& b) noexcept { return a.l_ == b.l_; }

 private:
  net::listener l_;
  std::shared_ptr<const config> how_;
};

// `network`: tcp, tcp4, tcp6, unix. Throws weft::panic as server().
result<listener> listen(std::string_view network, std::string_view address, const config& how);

// Connects and completes the handshake. Throws weft::panic as client(), where the address has no host.
result<conn> dial(std::string_view network, std::string_view address, const config& how = {});
result<conn> dial(const context& ctx, std::string_view network, std::string_view address, const config& how = {});

}  // namespace weft::tls

template <>
struct std::is_error_condition_enum<weft::tls::errc> : std::true_type {};
