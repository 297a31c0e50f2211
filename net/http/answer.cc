// What the server sends for a request: its framing is right whatever the handler does.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <fmt/format.h>

#include <array>
#include <mutex>

#include "net/http/date.h"
#include "net/http/exchange.h"

namespace weft::http::detail {

namespace {

// More than this is not copied to be sent with the head.
constexpr std::size_t most_copied = 16 << 10;
// limits::write_time bounds a write of this size: a client that reads gets an answer of any size.
constexpr std::size_t most_at_a_time = 1 << 20;

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

void append_status_line(std::string& head, int status) {
  (((head += "HTTP/1.1 ") += fmt::format_int(status).c_str()) += ' ') += status_text(status);
  head += "\r\n";
}

}  // namespace

// RFC 9110 9.3.6: what follows is a tunnel.
bool exchange::opens_tunnel() const { return request.method == "CONNECT" && status / 100 == 2; }

bool exchange::sends_body() const { return request.method != "HEAD" && !has_no_body(status) && !opens_tunnel(); }

// At each write: the deadline of an earlier answer must not end it.
void exchange::bound_write() { conn.set_write_deadline(bound_in(bounds->write_time)); }

// `size`: of the body that is sent with it.
void exchange::append_head(std::string& to, bool last, std::size_t size) {
  const bool modern = request.version >= 11;
  bool has_type = false, has_date = false;
  for (const auto& [name, value] : headers) {
    has_type = has_type || same_word(name, "Content-Type");
    has_date = has_date || same_word(name, "Date");
  }
  close_after = close_after || !request.keeps_alive || opens_tunnel();
  append_status_line(to, status);
  if (!has_date) append_date(to);
  if (!has_type && sends_body() && written > 0) to += "Content-Type: text/plain; charset=utf-8\r\n";
  // RFC 9110 8.6: what GET would send is not known from a handler that writes nothing for HEAD.
  const bool unknown = request.method == "HEAD" && (written == 0 || packs_head);
  const bool framed = !has_no_body(status) && !opens_tunnel();
  if (length && !packer) {
    if (framed || status == 304) ((to += "Content-Length: ") += fmt::format_int(*length).c_str()) += "\r\n";
  } else if (framed && last) {
    if (!unknown) ((to += "Content-Length: ") += fmt::format_int(size).c_str()) += "\r\n";
  } else if (framed) {
    if (modern) chunked = true;
    else close_after = until_end = true;
  }
  if (chunked) to += "Transfer-Encoding: chunked\r\n";
  if (close_after) to += "Connection: close\r\n";
  else if (!modern) to += "Connection: keep-alive\r\n";
  if (!connection.empty()) ((to += "Connection: ") += connection) += "\r\n";
  for (const auto& [name, value] : headers) (((to += name) += ": ") += value) += "\r\n";
  to += "\r\n";
}

void exchange::send_part(std::string_view more, bool last) {
  if (error || hijacked) return;
  std::unique_lock hold(before_head, std::defer_lock);
  if (!head_sent && request.expects_continue) hold.lock();
  std::string text;
  if (!head_sent) begin_compression(body.size() + more.size(), last);
  if (packer) {
    std::string packed;
    packer->add(body, deflater::flush::none, packed);
    packer->add(more, last ? deflater::flush::end : deflater::flush::all, packed);
    body = std::move(packed);
    more = {};
  }
  if (!head_sent) {
    std::size_t size = 200 + body.size();
    for (const auto& [name, value] : headers) size += name.size() + value.size() + 4;
    text.reserve(size + (more.size() <= most_copied ? more.size() : 0));
    append_head(text, last, body.size() + more.size());
    head_sent = true;
    if (until_end) conn.set_abortive(true);  // until finish(): what is broken off must not look complete
  }
  if (!sends_body()) {
    body.clear();
    more = {};
  }
  const bool in_chunk = chunked && sends_body() && body.size() + more.size() > 0;
  if (in_chunk) text += fmt::format("{:x}\r\n", body.size() + more.size());
  text += body;
  body.clear();
  std::string_view tail = in_chunk ? "\r\n" : "";
  if (chunked && last && sends_body()) tail = in_chunk ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
  if (text.size() + more.size() + tail.size() == 0) return;
  bound_write();
  if (more.size() <= most_copied) {
    (text += more) += tail;
    error = conn.write(text).err;
    return;
  }
  for (std::string_view before = text; !error; before = {}) {
    const std::string_view piece = more.substr(0, most_at_a_time);
    more.remove_prefix(piece.size());
    const std::array<std::string_view, 3> parts{before, piece, more.empty() ? tail : std::string_view()};
    error = conn.write_all(parts);
    if (more.empty()) return;
    bound_write();
  }
}

void exchange::send_informational(int code, std::string_view more_headers) {
  if (error || hijacked || head_sent || request.version < 11) return;
  std::string text;
  append_status_line(text, code);
  text += more_headers;
  for (const auto& [name, value] : headers) (((text += name) += ": ") += value) += "\r\n";
  text += "\r\n";
  bound_write();
  error = conn.write(text).err;
}

void exchange::finish() {
  if (hijacked) return;
  if (!can_drop_body()) close_after = true;  // what is left cannot become the next request
  const bool is_short = length && sends_body() && written < *length;
  send_part({}, !is_short);  // compressed, it would look complete with its end
  if (until_end && !error) conn.set_abortive(false);
  if (is_short && !error) {
    server.log(fmt::format("http: {} {}: the handler wrote {} bytes of a Content-Length of {}",
                           printable(request.method), printable(request.target_text), written, *length));
    error = weft::errc::closed;  // the connection ends, and the answer does not look complete
  }
}

void exchange::refuse(int code) {
  headers.clear();
  connection.clear();
  length.reset();
  status = code;
  close_after = true;
  body = fmt::format("{} {}\n", code, status_text(code));
  written = body.size();
  send_part({}, true);
}

}  // namespace weft::http::detail
