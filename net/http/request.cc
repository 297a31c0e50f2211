// What a handler sees of a request.
#include <algorithm>

#include "net/http/exchange.h"
#include "net/http/multipart.h"

namespace weft::http {

using namespace detail;

namespace {

// Of a query or a form: a pair costs far more memory than the two bytes that it can be sent in.
constexpr std::size_t max_pairs = 10'000;

// Calls f(name, value), as they were sent, for each pair of a query or form, until it returns true.
template <class F>
void each_pair(std::string_view text, F f) {
  for (std::size_t n = 0; !text.empty() && n < max_pairs;) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    ++n;
    const auto equals = pair.find('=');
    if (f(pair.substr(0, equals), equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1)))
      return;
  }
}

std::optional<std::string> first_of(std::string_view text, std::string_view wanted) {
  std::optional<std::string> found;
  each_pair(text, [&](std::string_view name, std::string_view value) {
    if (decoded(name, encoding::query) != wanted) return false;
    found = decoded(value, encoding::query);
    return true;
  });
  return found;
}

value_list all_of(std::string_view text) {
  value_list all;
  each_pair(text, [&](std::string_view name, std::string_view value) {
    all.emplace_back(decoded(name, encoding::query), decoded(value, encoding::query));
    return false;
  });
  return all;
}

// The body if it is a form, else nothing.
std::string_view form_text(const request& r) {
  const std::string_view type = r.header("Content-Type");
  if (!same_word(trimmed(type.substr(0, type.find(';'))), "application/x-www-form-urlencoded")) return {};
  const std::string_view text = r.body();
  if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) >= max_pairs)
    throw body_error(413, make_error_code(std::errc::message_size));
  return text;
}

// RFC 6265 5.4: pairs behind semicolons.
template <class F>
void each_cookie(const request& r, F f) {
  constexpr std::ptrdiff_t most = 3000;  // of a request; with more it has none, as in Go
  std::ptrdiff_t n = 0;
  for (const std::string_view text : r.header_values("Cookie")) n += 1 + std::count(text.begin(), text.end(), ';');
  if (n > most) return;
  for (std::string_view text : r.header_values("Cookie"))
    while (!text.empty()) {
      const std::string_view pair = text.substr(0, text.find(';'));
      text.remove_prefix(std::min(text.size(), pair.size() + 1));
      const std::size_t equals = std::min(pair.find('='), pair.size());
      const std::string_view name = trimmed(pair.substr(0, equals));
      if (!is_token(name)) continue;
      std::string_view value = trimmed(pair.substr(std::min(equals + 1, pair.size())));
      if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      if (f(name, value)) return;
    }
}

}  // namespace

body_error::body_error(int status, std::error_code cause)
    : std::runtime_error("http: body: " + cause.message()), status_(status), cause_(cause) {}

std::string_view request::method() const { return x_.request.method; }
std::string_view request::target() const { return x_.request.target_text; }
const std::string& request::path() const { return x_.path; }
std::string_view request::raw_path() const { return x_.request.target.path; }
std::string_view request::host() const { return header("Host"); }
int request::version() const { return x_.request.version; }
std::string_view request::pattern() const { return x_.pattern; }
std::string_view request::header(std::string_view name) const { return x_.request.field(name); }
std::span<const header_field> request::headers() const { return x_.request.fields; }
const net::endpoint& request::remote_addr() const { return x_.conn.remote_addr(); }
const context& request::ctx() const { return x_.watch.ctx(x_.server.life.ctx); }

std::vector<std::string_view> request::header_values(std::string_view name) const {
  std::vector<std::string_view> all;
  for (const header_field& f : x_.request.fields)
    if (same_word(f.name, name)) all.push_back(f.value);
  return all;
}

std::string request::query(std::string_view name) const {
  return first_of(x_.request.target.query, name).value_or(std::string());
}

value_list request::query_values() const { return all_of(x_.request.target.query); }

std::string request::form(std::string_view name) const {
  if (auto found = first_of(form_text(*this), name)) return *found;
  return query(name);
}

value_list request::form_values() const { return all_of(form_text(*this)); }

std::vector<form_part> request::multipart() const {
  const std::string_view type = header("Content-Type");
  if (!same_word(trimmed(type.substr(0, type.find(';'))), "multipart/form-data")) return {};
  const auto boundary = parameter(type, "boundary");
  auto parts = parse_multipart(body(), boundary ? *boundary : std::string());
  if (!parts) throw body_error(400, make_error_code(std::errc::bad_message));
  return std::move(*parts);
}

std::string request::cookie(std::string_view name) const {
  std::string found;
  each_cookie(*this, [&](std::string_view n, std::string_view value) {
    if (n == name) found = value;
    return n == name;
  });
  return found;
}

value_list request::cookies() const {
  value_list all;
  each_cookie(*this, [&](std::string_view n, std::string_view value) {
    all.emplace_back(std::string(n), std::string(value));
    return false;
  });
  return all;
}

std::string_view request::body() const {
  incoming_body& b = x_.body_in;
  x_.read_whole_body();
  if (b.error) throw body_error(b.status, b.error);
  return std::string_view(b.text).substr(b.taken);
}

result<std::size_t> request::read(std::span<std::byte> buf) const {
  incoming_body& b = x_.body_in;
  if (buf.empty()) return {0, {}};
  if (b.taken < b.text.size()) {
    const std::size_t n = std::min(buf.size(), b.text.size() - b.taken);
    std::copy_n(b.text.data() + b.taken, n, reinterpret_cast<char*>(buf.data()));
    b.taken += n;
    return {n, {}};
  }
  const auto got = x_.read_body(buf);
  if (!got.err && got.value == 0) return {0, weft::errc::eof};
  return got;
}

std::optional<std::uint64_t> request::content_length() const {
  if (x_.request.chunked) return std::nullopt;
  return x_.request.length;
}

std::string_view request::trailer(std::string_view name) const {
  for (const auto& [key, value] : x_.request.trailers)
    if (same_word(key, name)) return value;
  return {};
}

std::string request::path_value(std::string_view name) const {
  for (const auto& [key, value] : x_.path_values)
    if (key == name) return value;
  return {};
}

const tls::connection_state* request::tls() const {
  if (!x_.tls) x_.tls = x_.conn.tls_state();
  return x_.tls ? &*x_.tls : nullptr;
}

}  // namespace weft::http
