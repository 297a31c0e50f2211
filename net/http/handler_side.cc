// What a handler sees of an exchange.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <boost/beast/core/string.hpp>

#include "net/http/exchange.h"

namespace weft::http {

namespace {

std::string_view view(boost::beast::string_view s) { return {s.data(), s.size()}; }
boost::beast::string_view view(std::string_view s) { return {s.data(), s.size()}; }

// The buffer of an answer: what fits is sent with its length.
constexpr std::size_t answer_buffer = 4096;

// A line break in a header's value would begin a header, or a body, of the client's making.
bool harmless(std::string_view s) { return s.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

bool same_word(std::string_view a, std::string_view b) { return boost::beast::iequals(view(a), view(b)); }

}  // namespace

std::string_view request::method() const { return view(x_.message().method_string()); }
std::string_view request::target() const { return view(x_.message().target()); }
const std::string& request::path() const { return x_.path; }
std::string_view request::body() const { return x_.message().body(); }
const net::endpoint& request::remote_addr() const { return x_.conn.remote_addr(); }
const context& request::ctx() const { return x_.watch.ctx(x_.of_server); }

std::string_view request::header(std::string_view name) const {
  const auto at = x_.message().find(view(name));
  return at == x_.message().end() ? std::string_view() : view(at->value());
}

std::string request::query(std::string_view name) const {
  const auto mark = target().find('?');
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target().substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (impl::decoded(pair.substr(0, equals), impl::encoding::query) != name) continue;
    return equals == std::string_view::npos ? std::string()
                                            : impl::decoded(pair.substr(equals + 1), impl::encoding::query);
  }
  return {};
}

std::string request::path_value(std::string_view name) const {
  for (const auto& [key, value] : x_.path_values)
    if (key == name) return value;
  return {};
}

response_writer& response_writer::status(int code) {
  if (code < 100 || code > 999) throw panic("http: status " + std::to_string(code) + " out of range: 100 to 999");
  if (!x_.head_sent) x_.status = code;
  return *this;
}

response_writer& response_writer::set_header(std::string_view name, std::string_view value) {
  if (name.empty() || !harmless(name) || !harmless(value) || name.find_first_of(": ") != std::string_view::npos)
    throw panic("http: malformed header '" + std::string(name) + "'");
  if (x_.head_sent) return *this;
  if (same_word(name, "Content-Length")) x_.has_length = true;
  if (same_word(name, "Content-Type")) x_.has_type = true;
  if (same_word(name, "Date")) x_.has_date = true;
  if (same_word(name, "Connection")) {
    x_.close_after = x_.close_after || same_word(value, "close");
    return *this;
  }
  ((x_.headers += name) += ": ") += value;
  x_.headers += "\r\n";
  return *this;
}

std::error_code response_writer::write(std::string_view text) {
  if (x_.error) return x_.error;
  if (x_.body.size() + text.size() > answer_buffer && x_.head_sent == false && x_.body.empty()) {
    x_.body = text;
    x_.send_part(false);
    return x_.error;
  }
  if (x_.body.size() + text.size() > answer_buffer) x_.send_part(false);
  x_.body += text;
  return x_.error;
}

std::error_code response_writer::flush() {
  x_.send_part(false);
  return x_.error;
}

void error(response_writer& w, int code, std::string_view text) {
  w.status(code).set_header("X-Content-Type-Options", "nosniff");
  w.write(std::string(text) + '\n');
}

std::string_view status_text(int code) {
  if (code == 431) return "Request Header Fields Too Large";
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(code));
  return known == boost::beast::http::status::unknown ? "Unknown" : view(boost::beast::http::obsolete_reason(known));
}

}  // namespace weft::http
