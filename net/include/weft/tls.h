// TLS 1.2 and 1.3 over any stream socket, used as net's connections are. Go's crypto/tls.
//
//   weft::tls::config c;
//   c.certificate = weft::tls::load_certificate("server.pem", "server.key").unwrap();
//   auto l = weft::tls::listen("tcp", ":443", c).unwrap();
//
//   auto c = weft::tls::dial("tcp", "example.org:443").unwrap();  // system's authorities
//
// Handles are shared. Any number of fibers and plain threads may use one, as in net: one fiber may
// read while another writes and a third closes.
//
// Errors are those of net, and those of tls_category(). Compare the latter with the conditions in
// errc; message() says what to do. errc::eof: the peer ended the stream with a closing message.
// errc::unexpected_eof: the stream ended without one. After an error of the handshake or of the
// encryption, or in the middle of a write, every later call returns the same error. An error of a
// context or a deadline during a handshake or a read ends only that call.
#pragma once
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline_setters.h>
#include <weft/endpoint.h>
#include <weft/errors.h>
#include <weft/net.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::tls {

namespace detail {
struct key_pair;
struct trust;
struct named_certificates;
struct kept_sessions;
struct ticket_key_list;
class session;
}  // namespace detail

// What an error means, for programs. An error may mean several: an expired certificate is a bad one
// too.
enum class errc {
  unexpected_eof = 1,   // the connection ended without a closing message: io.ErrUnexpectedEOF
  closed_in_handshake,  // the peer closed the connection during the handshake
  not_tls,              // the peer speaks something else
  http_request,         // ... namely HTTP
  bad_certificate,      // the peer's certificate was refused here
  expired,              // ... it is too old, or too new
  unknown_authority,    // ... no certificate in the roots signed it
  wrong_host,           // ... it is for another host
  no_certificate,       // the peer has shown none, and must
  refused,              // the peer sent an alert, often for the certificate of this side
  no_common,            // the two have no version, cipher or protocol in common
  bad_pem,              // a certificate or a key cannot be read, or the two do not belong together
};
// Returns the category of TLS errors.
const std::error_category& tls_category() noexcept;
// Returns the condition of `e`: `err == tls::errc::expired`.
inline std::error_condition make_error_condition(errc e) noexcept { return {static_cast<int>(e), tls_category()}; }

// A certificate with its chain and its key. A shared handle, which may be empty. Go's
// tls.Certificate.
class certificate {
 public:
  certificate() noexcept = default;
  // Returns true if it has a certificate.
  explicit operator bool() const noexcept { return it_ != nullptr; }

  // For weft itself.
  explicit certificate(std::shared_ptr<const detail::key_pair> it) noexcept : it_(std::move(it)) {}
  const detail::key_pair* get() const noexcept { return it_.get(); }

 private:
  std::shared_ptr<const detail::key_pair> it_;
};

// The authorities that are trusted. A shared handle. Default-constructed: those of the system. Go's
// x509.CertPool.
class roots {
 public:
  // The authorities of the system.
  roots() noexcept = default;

  // For weft itself.
  explicit roots(std::shared_ptr<const detail::trust> it) noexcept : it_(std::move(it)) {}
  const detail::trust* get() const noexcept { return it_.get(); }

 private:
  std::shared_ptr<const detail::trust> it_;
};

// Read PEM: the certificate of this side first, then the intermediate ones. Return errc::bad_pem
// for a key with a password and for a key of another certificate, and the system's errors for
// files. Go's LoadX509KeyPair and X509KeyPair.
result<certificate> load_certificate(std::string_view certificate_file, std::string_view key_file);
result<certificate> parse_certificate(std::string_view certificate_pem, std::string_view key_pem);
// Read PEM with at least one certificate. load_roots() blocks. Go's AppendCertsFromPEM.
result<roots> load_roots(std::string_view file);
result<roots> parse_roots(std::string_view pem);

// A version of the protocol.
enum class version { tls_1_2, tls_1_3 };

// What a server requires of its clients.
enum class client_auth {
  none,
  if_given,   // a certificate that is shown must be good
  required,
};

// Certificates that a server chooses by the name that its client asks for, and that can be replaced
// while it serves. A shared handle: a config that holds a copy sees what set() does. Any fiber or
// thread. Go's Config.Certificates and GetCertificate.
class certificate_store {
 public:
  certificate_store();
  // Replaces all certificates, for handshakes that begin later. Throws weft::panic for an empty
  // handle.
  void set(std::vector<certificate> all);
  // Returns the first certificate that is for `server_name`, else the first of all; an empty handle
  // if there is none.
  certificate find(std::string_view server_name) const;

  // For weft itself.
  detail::named_certificates* get() const noexcept { return it_.get(); }

 private:
  std::shared_ptr<detail::named_certificates> it_;
};

// Sessions that a client resumes instead of a full handshake. A shared handle, for any number of
// configs: a session is used only for the same name, roots and certificate. Any fiber or thread.
// Go's ClientSessionCache.
class session_cache {
 public:
  // Keeps at most `most` sessions, the youngest.
  explicit session_cache(std::size_t most = 64);

  // For weft itself.
  const std::shared_ptr<detail::kept_sessions>& get() const noexcept { return it_; }

 private:
  std::shared_ptr<detail::kept_sessions> it_;
};

// The keys of a server's session tickets. A shared handle. Any fiber or thread. Go's
// SetSessionTicketKeys.
class ticket_keys {
 public:
  using key = std::array<unsigned char, 32>;
  // One random key.
  ticket_keys();
  // Replaces all keys. The first key encrypts tickets, all keys decrypt them: to rotate, put a new
  // one in front. Servers with the same keys resume each other's sessions. None: no ticket is sent
  // or taken.
  void set(const std::vector<key>& all);

  // For weft itself.
  const std::shared_ptr<detail::ticket_key_list>& get() const noexcept { return it_; }

 private:
  std::shared_ptr<detail::ticket_key_list> it_;
};

// Settings of a client or a server. Go's tls.Config.
struct config {
  tls::certificate certificate = {};  // a server must have one, or `certificates`
  tls::roots roots = {};  // for the peer's certificate
  client_auth clients = client_auth::none;
  // A server's: the certificate for the name that a client asks for. Where none matches:
  // `certificate`, else the first.
  std::optional<certificate_store> certificates = {};
  // A server's: sends tickets and resumes sessions. Not while `clients` asks for certificates: a
  // client that resumes shows none. Empty: no session is resumed.
  std::optional<ticket_keys> tickets = {};
  // A client's: resumes sessions. Empty: every handshake is a full one.
  std::optional<session_cache> sessions = {};
  // OpenSSL's names, the server's preference first: "ECDHE-ECDSA-AES128-GCM-SHA256" for TLS 1.2,
  // "TLS_AES_..." for TLS 1.3. A version without a name here keeps its default. TLS 1.2 has forward
  // secrecy in any case. A handshake with a name that is unknown, or without forward secrecy, is
  // std::errc::invalid_argument. Go's CipherSuites.
  std::vector<std::string> ciphers = {};
  // A client's: the host that the certificate must be for, a name or an address. Empty: the host
  // that is dialled.
  std::string server_name = {};
  // A client does not check the certificate of its peer. For tests.
  bool insecure_skip_verify = false;
  // Protocols to agree on, the server's favourite first: "h2", "http/1.1". Servers that share none
  // refuse.
  std::vector<std::string> alpn = {};
  // The lowest version that is accepted.
  version min_version = version::tls_1_2;
  // The bound of the whole handshake: errc::timeout. 0: only deadlines and contexts bound it.
  duration handshake_time = std::chrono::seconds(10);
};

// The result of a handshake.
struct connection_state {
  bool complete = false;  // the handshake is; else all of this is empty
  std::string version;  // "TLSv1.3"
  std::string cipher;  // "TLS_AES_256_GCM_SHA384"
  std::string alpn;  // empty: none
  std::string server_name;  // whom the client wanted, if it said so
  std::string peer_subject;  // "CN=example.org,O=Example"; empty: no certificate
  bool verified = false;  // the peer's certificate has been checked and is good
  bool resumed = false;  // a session has been resumed: no certificate was sent
};

// A TLS stream. Functions behave as those of net::conn unless stated. Go's tls.Conn.
class conn : public weft::detail::deadline_setters<conn> {
 public:
  // Empty: every operation returns errc::closed.
  conn() noexcept = default;

  // Blocks until the handshake is done; the first read or write calls it. Bounded by the earlier of
  // the two deadlines, the context and config::handshake_time. Go's Handshake.
  std::error_code handshake() const;
  std::error_code handshake(const context& ctx) const;

  // Blocks until there is data, after the handshake if it is due. errc::eof after the peer's
  // closing message, errc::unexpected_eof without one. Go's Read.
  result<std::size_t> read(std::span<std::byte> buf) const;
  result<std::size_t> read(const context& ctx, std::span<std::byte> buf) const;
  // Blocks until all is written. With an error: returns the number of bytes that the system has
  // certainly taken, and every later write fails. Go's Write.
  result<std::size_t> write(std::span<const std::byte> data) const;
  result<std::size_t> write(const context& ctx, std::span<const std::byte> data) const;
  result<std::size_t> write(std::string_view text) const { return write(std::as_bytes(std::span(text))); }
  result<std::size_t> write(const context& ctx, std::string_view text) const {
    return write(ctx, std::as_bytes(std::span(text)));
  }

  // Sends the closing message. The peer's data can still be read; the socket stays open in both
  // directions.
  std::error_code close_write() const;
  // As net::conn::close. Sends the closing message first if that does not wait. The last handle's
  // destructor does the same.
  std::error_code close() const;

  // As net::socket::set_deadline. Do not block. Go's SetDeadline.
  void set_deadline(time_point at = time_point::max()) const;
  void set_read_deadline(time_point at = time_point::max()) const;
  void set_write_deadline(time_point at = time_point::max()) const;
  using deadline_setters::set_deadline;  // for any clock
  using deadline_setters::set_read_deadline;
  using deadline_setters::set_write_deadline;

  // Returns the result of the handshake. Go's ConnectionState.
  tls::connection_state connection_state() const;
  // Return the addresses of the two ends. Go's LocalAddr and RemoteAddr.
  const net::endpoint& local_addr() const;
  const net::endpoint& remote_addr() const;
  // Returns the socket, for its options. Reading or writing there breaks the stream. Go's NetConn.
  const net::conn& net_conn() const;
  // True if bytes of the peer have been read from the socket and were not returned by read() yet.
  // Does not wait.
  bool has_buffered() const;
  // Returns true if it is not closed.
  explicit operator bool() const noexcept;
  friend bool operator==(const conn& a, const conn& b) noexcept { return a.s_ == b.s_; }

  // For weft itself.
  explicit conn(std::shared_ptr<detail::session> s) noexcept : s_(std::move(s)) {}

 private:
  std::shared_ptr<detail::session> s_;
};

// Wrap a connection; return without waiting. The result owns `c`. Throw weft::panic for a client
// that has neither server_name nor insecure_skip_verify, a server without certificate, and a
// malformed config::alpn. Go's tls.Client and tls.Server.
conn client(net::conn c, const config& how);
conn server(net::conn c, const config& how);

// Accepts TLS connections. A shared handle. Go's tls.NewListener.
class listener {
 public:
  // Empty: every operation returns errc::closed.
  listener() noexcept = default;
  // Throws weft::panic as server(). Go's tls.NewListener.
  listener(net::listener l, config how);

  // Blocks until a connection comes. Returns it before its handshake, so a slow client delays no
  // other client.
  result<conn> accept() const;
  result<conn> accept(const context& ctx) const;
  // As of net::listener.
  std::error_code close() const { return l_.close(); }
  void set_deadline(time_point at = time_point::max()) const { l_.set_deadline(at); }
  template <class Clock, class D>
  void set_deadline(std::chrono::time_point<Clock, D> at) const {
    l_.set_deadline(at);
  }
  // Return the address that it listens at, and the socket.
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

// Connects and completes the handshake. Throws weft::panic as client(), where the address has no
// host.
result<conn> dial(std::string_view network, std::string_view address, const config& how = {});
result<conn> dial(const context& ctx, std::string_view network, std::string_view address, const config& how = {});

}  // namespace weft::tls

template <>
struct std::is_error_condition_enum<weft::tls::errc> : std::true_type {};
