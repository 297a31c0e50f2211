// HTTP/1.1: a server, a mux and a client. Go's net/http.
//
//   weft::http::mux m;
//   m.handle("GET /hello/{name}",
//            [](auto& w, const auto& r) { w.write("hello " + r.path_value("name")); });
//   weft::http::server s(":8080", m);
//   s.listen_and_serve();
//
// The server answers requests that RFC 9112 refuses itself: no handler sees them. A handler runs in
// the fiber of its connection. An exception that leaves it becomes a 500 and is logged. All
// functions are for fibers and plain threads.
#pragma once
#include <weft/context.h>
#include <weft/fs.h>
#include <weft/http_client.h>
#include <weft/net.h>
#include <weft/tls.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace weft::http {

namespace detail {
struct exchange;
struct server_state;
}  // namespace detail

class request;
class response_writer;
// Answers one request. Runs in the fiber of its connection. Go's http.Handler.
using handler = std::function<void(response_writer&, const request&)>;

// A field of a head, as it was sent.
struct header_field {
  std::string_view name, value;
};

// Names and values, decoded, in the order in which they were sent.
using value_list = std::vector<std::pair<std::string, std::string>>;

// What request::body() and form() throw if the body does not arrive whole. If it leaves the handler
// before the answer has begun, the server answers with its status. Go's MaxBytesError.
class body_error : public std::runtime_error {
 public:
  body_error(int status, std::error_code cause);
  // Returns the status for the answer: 400, 408 or 413.
  int status() const noexcept { return status_; }
  // Returns the error of request::read().
  std::error_code code() const noexcept { return cause_; }

 private:
  int status_;
  std::error_code cause_;
};

// A part of a multipart form. `filename` is the client's text: never open it as a path. `content`
// is valid while the handler runs. Go's multipart.Part.
struct form_part {
  std::string name, filename, type;
  std::string_view content;
};

// A request. It and the views that it returns are valid while its handler runs. Functions that do
// not read the body do not block. Go's http.Request.
class request {
 public:
  // Returns the method: "GET".
  std::string_view method() const;
  // Returns the target as it was sent: "/a%20b?q=1".
  std::string_view target() const;
  // Returns the decoded path: "/a b"; "*" of OPTIONS *, empty of CONNECT.
  const std::string& path() const;
  // Returns the path as it was sent, without the query: "/a%20b".
  std::string_view raw_path() const;
  // Returns "example.org:80": of the target if that has a host, otherwise the Host field.
  std::string_view host() const;
  // Returns 10 for HTTP/1.0, 11 for HTTP/1.1.
  int version() const;
  // Returns the first value of a query's parameter, decoded; empty if there is none among the first
  // 10,000 values.
  std::string query(std::string_view name) const;
  // Returns all parameters of the query, at most the first 10,000. Go's URL.Query.
  value_list query_values() const;
  // Returns the first value of a field; empty if there is none. Upper and lower case are equal in
  // names. Go's Header.Get.
  std::string_view header(std::string_view name) const;
  // Returns all values of a field. Go's Header.Values.
  std::vector<std::string_view> header_values(std::string_view name) const;
  // Returns all fields, in the order in which they were sent.
  std::span<const header_field> headers() const;
  // Returns the value of a cookie; empty if there is none. Go's Cookie.
  std::string cookie(std::string_view name) const;
  // Returns all cookies. Go's Cookies.
  value_list cookies() const;

  // Reads the rest of the body and returns all that read() has not returned. Blocks until it is
  // complete. Throws body_error, also if limits::max_body is exceeded.
  std::string_view body() const;
  // Reads at most buf.size() bytes of the body. Blocks until some have come: the client is slowed
  // down to the handler's pace. errc::eof at the end; std::errc::message_size beyond
  // limits::max_body; errc::timeout after limits::body_time; std::errc::bad_message if the client's
  // framing is wrong. One fiber may read while another one writes the answer. Go's Body.Read.
  result<std::size_t> read(std::span<std::byte> buf) const;
  // Returns the length of the body in bytes; none if it is sent in chunks.
  std::optional<std::uint64_t> content_length() const;
  // Returns a field after a chunked body that has been read to its end; empty if there is none.
  // Trailers are not headers.
  std::string_view trailer(std::string_view name) const;
  // Returns the first value of a form that was sent as application/x-www-form-urlencoded, otherwise
  // of the query. Blocks and throws as body(); a form of more than 10,000 values is a body_error
  // with status 413. Go's FormValue.
  std::string form(std::string_view name) const;
  // Returns all values of the form. Blocks and throws as form(). Go's PostForm.
  value_list form_values() const;
  // Returns the parts of a form that was sent as multipart/form-data. Reads the body into memory:
  // limits::max_body bounds it. Blocks and throws as body(), with status 400 if the form is
  // malformed. Go's ParseMultipartForm.
  std::vector<form_part> multipart() const;

  // Returns the text that matched {name} in the mux's pattern. Go's PathValue.
  std::string path_value(std::string_view name) const;
  // Returns the mux's pattern that matched; empty if none did.
  std::string_view pattern() const;
  // Returns the client's address. Go's RemoteAddr.
  const net::endpoint& remote_addr() const;
  // Returns the state of the TLS connection, with the client's identity under client_auth; null
  // without TLS. Go's Request.TLS.
  const tls::connection_state* tls() const;
  // Returns a context that is cancelled when the client has disconnected, the server is closed or
  // the handler has returned. A disconnect is noticed after the body has been read. Go's
  // Request.Context.
  const context& ctx() const;

  // For weft itself.
  explicit request(detail::exchange& x) noexcept : x_(x) {}

 private:
  friend class mux;
  friend class response_writer;
  friend handler strip_prefix(std::string_view prefix, handler h);
  detail::exchange& x_;
};

// A cookie of an answer. `max_age`: seconds; negative: for the session; 0: removes it. Go's
// http.Cookie.
struct cookie {
  std::string name, value;
  std::string path = {}, domain = {};
  std::int64_t max_age = -1;
  bool secure = false, http_only = false;
  std::string same_site = {};  // "Lax", "Strict", "None"; empty: not sent
};

// A connection that was taken from the server, with the bytes that the client sent after the
// request's head.
struct hijacked {
  net::conn conn;  // without TLS
  tls::conn secure;  // with TLS
  std::string rest;
};

// The answer to a request. Used by one fiber at a time, while the handler runs. Go's
// http.ResponseWriter.
class response_writer {
 public:
  // Sets the status, before the first write; 200 if it is not called. 100 to 199: sends an
  // informational answer immediately, and the final answer is still due. Throws weft::panic for 101
  // (see upgrade) and outside 100 to 999. Go's WriteHeader.
  response_writer& status(int code);
  // Replace all fields of this name, or add one. No effect after the head has been sent. Blanks at
  // the value's ends are dropped. Throw weft::panic if the name is no token or the value has
  // control characters. Content-Length: the body must have that many bytes; throw weft::panic if it
  // is no number. Transfer-Encoding has no effect: the server sets it. Location is percent-encoded.
  // "Connection: close" ends the connection after the answer. Go's Header.Set and Header.Add.
  response_writer& set_header(std::string_view name, std::string_view value);
  response_writer& add_header(std::string_view name, std::string_view value);
  // Removes all fields of this name. No effect after the head has been sent. Go's Header.Del.
  response_writer& remove_header(std::string_view name);
  // Returns the first value that was set; empty if there is none.
  std::string_view header(std::string_view name) const;
  // Adds a Set-Cookie field. Throws weft::panic for a malformed name, value or attribute. Go's
  // SetCookie.
  response_writer& set_cookie(const cookie& c);
  // Writes a part of the body. A body that fits the buffer is sent at the end with its length; a
  // larger one in chunks. Blocks while the client does not read, up to limits::write_time.
  // std::errc::message_size, and nothing is sent, beyond the Content-Length that the handler has
  // set. Go's Write.
  std::error_code write(std::string_view text);
  // Sends the buffered part. Blocks as write(). Go's Flush.
  std::error_code flush();
  // Sends `count` bytes of a file from `offset` on as part of the body, by sendfile(2) where a
  // Content-Length is set, otherwise through memory. Blocks as write(). std::errc::io_error if the
  // file ends before.
  std::error_code send_file(const fs::file& file, std::uint64_t offset, std::uint64_t count);

  // Return the status that is or will be sent, the bytes of the body that were written, and whether
  // the head was sent. For handlers that call other handlers. Do not block.
  int status() const;
  std::uint64_t bytes_written() const;
  bool head_sent() const;

  // Takes the connection from the server; sends nothing, and removes the deadlines. Does not block.
  // errc::closed if the head has been sent, the body was not read to its end, or it was hijacked
  // before. Go's Hijacker.
  result<hijacked> hijack();
  // Answers 101 with the fields that were set, and hijacks. Blocks as write().
  // std::errc::invalid_argument if the client did not ask for `protocol` by Connection and Upgrade.
  result<hijacked> upgrade(std::string_view protocol);

  // For weft itself.
  explicit response_writer(detail::exchange& x) noexcept : x_(x) {}

 private:
  friend handler compressed(handler h);
  response_writer& put_header(std::string_view name, std::string_view value, bool replace);
  std::error_code send_copy(const fs::file& file, std::uint64_t offset, std::uint64_t count);
  detail::exchange& x_;
};

// Returns a handler that calls h and compresses its answer by gzip, if the client accepts that, the
// Content-Type is text and the answer is not very short. Adds Vary and Content-Encoding. Without
// zlib: compresses nothing.
handler compressed(handler h);

// An event of an event_stream.
struct event {
  std::string_view data;  // line breaks are kept
  std::string_view type = {};  // empty: "message"
  std::string_view id = {};
  int retry_ms = -1;  // delay before the client reconnects; negative: not sent
};
// Server-sent events: the answer stays open, and each event is sent immediately. Valid while its
// handler runs.
class event_stream {
 public:
  // Sends the head. Blocks as response_writer::write().
  explicit event_stream(response_writer& w);
  // Sends an event. Blocks while the client does not read, up to limits::write_time. Throws
  // weft::panic for a line break in the type or the id.
  std::error_code send(const event& e);
  // Sends a comment, so that proxies do not close a silent connection. Blocks as send().
  std::error_code keep_alive();

 private:
  response_writer& w_;
};

// Answers a GET or HEAD with the file `path`, as the system resolves it. The type is that of the
// extension unless the handler has set Content-Type; ETag and Last-Modified are those of the file
// unless the handler has set ETag. Conditions (If-Match, ...) and ranges of the request apply: 206,
// 304, 412, 416; more than 64 ranges, or ranges that overlap to more than the file, are ignored. A
// directory is answered by its index.html, after a redirect to the path with a slash at its end.
// Refuses: 400 if the request's path has a ".." segment, 403 for a directory without index.html,
// what is no regular file and what may not be read, 404, 405, 500, 503 if descriptors or memory are
// missing. Never pass a path that a client has composed: see file_server() and fs::join_inside().
// Blocks as response_writer::send_file(). Go's ServeFile.
void serve_file(response_writer& w, const request& r, std::string_view path);
// Returns a handler that answers with the files below the directory `root`, by the request's path,
// as serve_file() does. No path leads out of root, and symbolic links only to what is below it (see
// fs::open_inside): 403. A path with an encoded slash is a 404, ".../index.html" is redirected to
// the directory, a file's path with a slash at its end to that without. Directories are not listed,
// other than in Go. Names that begin with a dot are served. Throws weft::panic for a NUL byte in
// root. Go's FileServer of an os.Root.
handler file_server(std::string_view root);
// Returns a handler that calls h with the request's path without `prefix`, and answers 404 if the
// path, as it was sent, does not begin with it. Go's StripPrefix.
handler strip_prefix(std::string_view prefix, handler h);

// Answers with a status and a text. Removes Content-Length, and sets Content-Type to plain text.
// Blocks as response_writer::write(). Go's Error.
void error(response_writer& w, int code, std::string_view text);
// Answers with a Location. Throws weft::panic unless code is 300 to 399. Does not block. Go's
// Redirect, for an absolute path or URI.
void redirect(response_writer& w, std::string_view to, int code);
// Returns the words of a status: "Not Found" for 404, "Unknown" for others. Go's StatusText.
std::string_view status_text(int code);

// Chooses a handler by pattern, as Go's ServeMux since 1.22: "[METHOD ][HOST]/path". "{name}" is
// one segment, "{name...}" the rest; a path that ends in "/" stands for all paths below; "{$}" is
// the end. The more specific pattern wins. GET matches HEAD too. A path with "." or ".." segments
// or "//" is answered by a redirect (307) to the clean path. Segments are split before they are
// decoded. Copyable; the copies share the patterns.
class mux {
 public:
  mux();
  // Adds a handler. Throws weft::panic for a pattern that is malformed or conflicts with an earlier
  // one. Not while a server uses the mux. Go's Handle.
  mux& handle(std::string_view pattern, handler h);
  // Calls the handler of the matching pattern, or answers 404 or 405. Go's ServeHTTP.
  void operator()(response_writer& w, const request& r) const;

 private:
  struct table;
  std::shared_ptr<table> table_;
};

// What a server accepts, and how long it waits.
struct limits {
  // A time of 0 or less is no bound.
  std::size_t max_header = 64 << 10;  // bytes: 431 beyond, 414 within the request line
  std::uint64_t max_body = 32 << 20;  // bytes: 413 beyond
  // For a request's head; that of the first is counted from the connection's begin.
  duration header_time = std::chrono::seconds(10);
  duration body_time = std::chrono::seconds(60);  // and its body
  duration write_time = std::chrono::seconds(60);  // to take each part of an answer
  duration idle_time = std::chrono::seconds(120);  // between requests
};

// A server. Copies are the same server. Go's http.Server.
class server {
 public:
  // `address`: for listen_and_serve() and listen_and_serve_tls(), as of net::listen.
  server(std::string_view address, handler h, limits l = {});

  // Serve until shutdown() or close(), then return errc::closed; or the error that prevents it.
  // Block. Go's ListenAndServe and Serve.
  std::error_code listen_and_serve();
  std::error_code serve(const net::listener& l);
  // The same over TLS. Without OpenSSL: std::errc::protocol_not_supported. The handshake must end
  // within limits::header_time; a failed handshake is logged. Go's ListenAndServeTLS and ServeTLS.
  std::error_code listen_and_serve_tls(const tls::config& how);
  std::error_code serve(const tls::listener& l);
  // Accepts no more connections, closes idle ones, and blocks until the running requests have been
  // answered, or returns ctx's error. Go's Shutdown.
  std::error_code shutdown(const context& ctx);
  // Closes all connections immediately. Does not block; a later shutdown() waits for the handlers.
  // Go's Close.
  std::error_code close();

  // Before it serves. `f` is called with each request, before its body is read, and may change the
  // limits of this request: max_body, body_time, write_time.
  server& set_route_limits(std::function<void(const request&, limits&)> f);
  // Before it serves. `f` is called with each message instead of standard error; what a peer sent
  // is escaped. It must not throw. Go's ErrorLog.
  server& set_error_log(std::function<void(std::string_view)> f);

 private:
  std::shared_ptr<detail::server_state> state_;
};

}  // namespace weft::http
