// What a handler does to its answer.
#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "net/fd/descriptor.h"
#include "net/http/date.h"
#include "net/http/exchange.h"

namespace weft::http {

using namespace detail;

namespace {

// A file's descriptor, whose number must stay its own while it is sent.
struct inner : fs::file {
  explicit inner(const fs::file& f) : fs::file(f) {}
  weft::detail::descriptor* get() const noexcept { return d_.get(); }
};

// The buffer of an answer: what fits is sent with its length.
constexpr std::size_t answer_buffer = 4096;

// Elements of Connection but "close", which ends the connection, and "keep-alive", which is the
// server's to say.
void take_connection(exchange& x, std::string_view list) {
  while (!list.empty()) {
    const std::string_view raw = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), raw.size() + 1));
    const std::string_view word = trimmed(raw);
    if (same_word(word, "close")) {
      x.close_after = true;
    } else if (!word.empty() && !same_word(word, "keep-alive")) {
      if (!x.connection.empty()) x.connection += ", ";
      x.connection += word;
    }
  }
}

}  // namespace

response_writer& response_writer::status(int code) {
  if (code < 100 || code > 999) throw panic("http: status " + std::to_string(code) + " out of range: 100 to 999");
  if (code == 101) throw panic("http: status 101 is sent by response_writer::upgrade");
  if (code < 200) x_.send_informational(code, {});
  else if (!x_.head_sent) x_.status = code;
  return *this;
}

response_writer& response_writer::put_header(std::string_view name, std::string_view text, bool replace) {
  std::string_view value = trimmed(text);
  std::string escaped;
  if (same_word(name, "Location")) value = escaped = escaped_uri(value);
  if (!is_token(name) || !is_field_value(value)) throw panic("http: malformed header '" + printable(name) + "'");
  if (x_.head_sent) return *this;
  if (same_word(name, "Transfer-Encoding")) return *this;
  if (same_word(name, "Connection")) {
    if (replace) x_.connection.clear();
    take_connection(x_, value);
    return *this;
  }
  if (same_word(name, "Content-Length")) {
    const auto n = decimal(value);
    if (!n) throw panic("http: Content-Length '" + printable(value) + "' is no number");
    if (!replace && x_.length && *x_.length != *n) throw panic("http: two values of Content-Length");
    if (*n < x_.written) throw panic("http: Content-Length is less than what has been written");
    x_.length = *n;
    x_.length_text = std::to_string(*n);
    return *this;
  }
  if (replace) std::erase_if(x_.headers, [&](const auto& f) { return same_word(f.first, name); });
  x_.headers.emplace_back(std::string(name), std::string(value));
  return *this;
}

response_writer& response_writer::set_header(std::string_view name, std::string_view value) {
  return put_header(name, value, true);
}

response_writer& response_writer::add_header(std::string_view name, std::string_view value) {
  return put_header(name, value, false);
}

response_writer& response_writer::remove_header(std::string_view name) {
  if (x_.head_sent) return *this;
  if (same_word(name, "Content-Length")) x_.length.reset();
  else if (same_word(name, "Connection")) x_.connection.clear();
  else std::erase_if(x_.headers, [&](const auto& f) { return same_word(f.first, name); });
  return *this;
}

std::string_view response_writer::header(std::string_view name) const {
  if (same_word(name, "Content-Length")) return x_.length ? std::string_view(x_.length_text) : std::string_view();
  if (same_word(name, "Connection"))
    return x_.connection.empty() && x_.close_after ? std::string_view("close") : x_.connection;
  for (const auto& [key, value] : x_.headers)
    if (same_word(key, name)) return value;
  return {};
}

response_writer& response_writer::set_cookie(const cookie& c) {
  const auto is_value = [](std::string_view s) { return is_field_value(s) && s.find_first_of("\";\\,") == s.npos; };
  const auto is_attribute = [](std::string_view s) { return is_field_value(s) && s.find(';') == s.npos; };
  if (!is_token(c.name) || !is_value(c.value) || c.value.find(' ') != c.value.npos || !is_attribute(c.path) ||
      !is_attribute(c.domain) || !is_attribute(c.same_site))
    throw panic("http: malformed cookie '" + printable(c.name) + "'");
  std::string text = c.name + '=' + c.value;
  if (!c.path.empty()) text += "; Path=" + c.path;
  if (!c.domain.empty()) text += "; Domain=" + c.domain;
  if (c.max_age >= 0) text += "; Max-Age=" + std::to_string(c.max_age);
  if (c.secure) text += "; Secure";
  if (c.http_only) text += "; HttpOnly";
  if (!c.same_site.empty()) text += "; SameSite=" + c.same_site;
  return add_header("Set-Cookie", text);
}

std::error_code response_writer::write(std::string_view text) {
  if (x_.hijacked) return weft::errc::closed;
  if (x_.error) return x_.error;
  if (x_.length && (text.size() > *x_.length || x_.written > *x_.length - text.size()))
    return make_error_code(std::errc::message_size);
  x_.written += text.size();
  if (x_.body.size() + text.size() <= answer_buffer) {
    x_.body += text;
    return {};
  }
  if (text.size() >= answer_buffer) {
    x_.send_part(text, false);
  } else {
    x_.send_part({}, false);
    x_.body += text;
  }
  return x_.error;
}

std::error_code response_writer::flush() {
  if (x_.hijacked) return weft::errc::closed;
  x_.send_part({}, false);
  return x_.error;
}

std::error_code response_writer::send_file(const fs::file& file, std::uint64_t offset, std::uint64_t count) {
  if (x_.length && !x_.chunked && x_.sends_body() && !x_.compress && x_.conn.plain()) {
    if (x_.written > *x_.length || count > *x_.length - x_.written) return make_error_code(std::errc::message_size);
    const inner i(file);
    const weft::detail::in_use hold(i.get());
    if (!hold) return weft::errc::closed;
    if (const std::error_code e = flush()) return e;
    while (count > 0) {
      x_.bound_write();
      const auto [n, err] = x_.conn.send_file(i.get()->fd(), offset, std::min<std::uint64_t>(count, 1 << 20));
      x_.written += n;
      if (err) return x_.error = err;
      if (n == 0) return make_error_code(std::errc::io_error);  // the file has become shorter
      offset += n;
      count -= n;
    }
    return {};
  }
  return send_copy(file, offset, count);
}

std::error_code response_writer::send_copy(const fs::file& file, std::uint64_t offset, std::uint64_t count) {
  std::string part;
  while (count > 0) {
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(count, 64 << 10)));
    const auto [n, err] = file.read_at(std::as_writable_bytes(std::span(part)), offset);
    if (n == 0) return err && err != weft::errc::eof ? err : make_error_code(std::errc::io_error);
    if (const std::error_code e = write(std::string_view(part).substr(0, n))) return e;
    offset += n;
    count -= n;
  }
  return {};
}

int response_writer::status() const { return x_.status; }
std::uint64_t response_writer::bytes_written() const { return x_.written; }
bool response_writer::head_sent() const { return x_.head_sent; }

result<hijacked> response_writer::hijack() {
  if (x_.head_sent || x_.hijacked || !x_.body_in.done || x_.error) return {{}, weft::errc::closed};
  x_.watch.release();
  x_.hijacked = true;
  x_.server.release(x_.here);
  x_.conn.set_read_deadline(time_point::max());
  x_.conn.set_write_deadline(time_point::max());
  hijacked h{x_.conn.plain(), x_.conn.secure(), std::string(x_.in.rest())};
  x_.in.consume(h.rest.size());
  return {std::move(h), {}};
}

result<hijacked> response_writer::upgrade(std::string_view protocol) {
  const request r(x_);
  bool asked = false;
  for (const std::string_view v : r.header_values("Connection")) asked = asked || has_word(v, "upgrade");
  if (!asked || r.version() < 11 || !is_field_value(protocol) || !has_word(r.header("Upgrade"), protocol))
    return {{}, make_error_code(std::errc::invalid_argument)};
  if (x_.head_sent || x_.hijacked || !x_.body_in.done) return {{}, weft::errc::closed};
  x_.send_informational(101, "Connection: Upgrade\r\nUpgrade: " + std::string(protocol) + "\r\n");
  if (x_.error) return {{}, x_.error};
  x_.status = 101;
  return hijack();
}

void error(response_writer& w, int code, std::string_view text) {
  w.status(code).remove_header("Content-Length").set_header("Content-Type", "text/plain; charset=utf-8");
  w.set_header("X-Content-Type-Options", "nosniff");
  w.write(std::string(text) + '\n');
}

void redirect(response_writer& w, std::string_view to, int code) {
  if (code < 300 || code > 399) throw panic("http: redirect by status " + std::to_string(code));
  w.status(code).set_header("Location", to);
}

std::string_view status_text(int code) {
  switch (code) {  // that Beast does not know, in some releases
    case 103: return "Early Hints";
    case 418: return "I'm a teapot";
    case 425: return "Too Early";
    case 431: return "Request Header Fields Too Large";
    default: break;
  }
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(code));
  if (known == boost::beast::http::status::unknown) return "Unknown";
  const auto text = boost::beast::http::obsolete_reason(known);
  return {text.data(), text.size()};
}

}  // namespace weft::http
