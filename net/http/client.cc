#include <weft/http_client.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "net/http/client_exchange.h"
#include "net/http/cookies.h"

namespace weft::http {

namespace detail {
namespace {

bool asks_for_gzip(const client_state& s, const client_request& r) {
  return s.compression && has_gunzip() && r.method != "HEAD" && find_field(r.headers, "Accept-Encoding").empty() &&
         find_field(r.headers, "Range").empty();
}

void take_cookies(const client_state& s, const outgoing& o, const answer_head& head) {
  if (!s.cookies) return;
  std::size_t left = max_cookies_of_answer;
  for (const auto& [name, value] : head.headers) {
    if (!same_word(name, "Set-Cookie")) continue;
    if (left-- == 0) return;
    set_cookie(*s.cookies, o.to, value);
  }
}

// True if the answer is the caller's: no redirect, or one that cannot be followed.
bool is_final(const client_state& s, const outgoing& o, const answer_head& head) {
  if (s.limits.max_redirects <= 0 || !is_redirect(head.status)) return true;
  return find_field(head.headers, "Location").empty() || (head.status >= 307 && o.has_parts());
}

result<std::unique_ptr<incoming>> open_following(const client_state& s, const context& ctx, client_request r) {
  const time_point end = bounded(s.limits.total_time, time_point::max());
  auto [checked, wrong] = outgoing_of(std::move(r));
  if (wrong) return {nullptr, wrong};
  const auto o = std::make_shared<outgoing>(std::move(checked));
  for (int i = 0; i <= s.limits.max_redirects || i == 0; ++i) {
    o->accepts_gzip = asks_for_gzip(s, o->r);
    auto got = exchange_once(s, ctx, o, end);
    if (got.err) return got;
    incoming& in = *got.value;
    take_cookies(s, *o, in.head);
    if (is_final(s, *o, in.head)) return got;
    const int status = in.head.status;
    const std::string location(find_field(in.head.headers, "Location"));
    in.drain();
    got.value.reset();  // nothing reads *o any more
    if (const std::error_code e = follow(*o, status, location)) return {nullptr, e};
  }
  return {nullptr, make_error_code(std::errc::too_many_links)};
}

std::error_code read_all(incoming& in, std::uint64_t most, std::string& body) {
  constexpr std::uint64_t first = 4096, announced_most = 1 << 20;
  if (in.announced() > most) return make_error_code(std::errc::message_size);
  body.resize(static_cast<std::size_t>(in.announced() > 0 ? std::min(in.announced(), announced_most - 1) + 1 : first));
  for (std::size_t n = 0;;) {
    if (n == body.size()) body.resize(2 * n);
    const auto [got, err] = in.read(std::as_writable_bytes(std::span(body).subspan(n)));
    n += got;
    if (n > most) return make_error_code(std::errc::message_size);
    if (!err) continue;
    body.resize(n);
    return err == weft::errc::eof ? std::error_code() : err;
  }
}

// Runs f, which returns a result; memory that there is not is an error of the request.
template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return {{}, make_error_code(std::errc::not_enough_memory)};
  } catch (const std::length_error&) {
    return {{}, make_error_code(std::errc::message_size)};
  }
}

}  // namespace
}  // namespace detail

std::string_view response::header(std::string_view name) const { return detail::find_field(headers, name); }

std::vector<std::string_view> response::header_values(std::string_view name) const {
  std::vector<std::string_view> all;
  for (const auto& [key, value] : headers)
    if (detail::same_word(key, name)) all.emplace_back(value);
  return all;
}

response_stream::response_stream() noexcept = default;
response_stream::response_stream(response_stream&&) noexcept = default;
response_stream& response_stream::operator=(response_stream&&) noexcept = default;
response_stream::~response_stream() = default;
response_stream::response_stream(std::unique_ptr<detail::incoming> it) noexcept : it_(std::move(it)) {}

int response_stream::status() const { return it_ ? it_->head.status : 0; }

const header_list& response_stream::headers() const {
  static const header_list none;
  return it_ ? it_->head.headers : none;
}

std::string_view response_stream::header(std::string_view name) const { return detail::find_field(headers(), name); }

const header_list& response_stream::trailers() const {
  static const header_list none;
  return it_ ? it_->trailers() : none;
}

result<std::size_t> response_stream::read(std::span<std::byte> to) {
  if (!it_) return {0, errc::closed};
  return detail::guarded([&] { return it_->read(to); });
}

void response_stream::close() {
  if (it_) it_->close();
}

client::client() : state_(std::make_shared<detail::client_state>()) {}

client& client::set_limits(const client_limits& l) {
  state_->limits = l;
  state_->pool->max_idle = l.max_idle;
  state_->pool->idle_time = l.idle_time;
  return *this;
}

client& client::set_max_body(std::uint64_t bytes) {
  state_->limits.max_body = bytes;
  return *this;
}

client& client::set_tls(tls::config how) {
  state_->secure = std::move(how);
  return *this;
}

client& client::set_proxy(std::string_view url) {
  auto [p, err] = detail::proxies::only(url);
  if (err) throw panic("http: a proxy is http://host:port, not '" + std::string(url) + "'");
  state_->via = std::move(p);
  return *this;
}

client& client::set_cookies(cookie_jar jar) {
  state_->cookies = std::move(jar);
  return *this;
}

client& client::set_compression(bool on) {
  state_->compression = on;
  return *this;
}

void client::close_idle() const { state_->pool->close_all(); }

result<response_stream> client::open(const context& ctx, client_request r) const {
  return detail::guarded([&]() -> result<response_stream> {
    auto [in, err] = detail::open_following(*state_, ctx, std::move(r));
    if (err) return {{}, err};
    return {response_stream(std::move(in)), {}};
  });
}

result<response> client::send(const context& ctx, client_request r) const {
  return detail::guarded([&]() -> result<response> {
    auto [in, err] = detail::open_following(*state_, ctx, std::move(r));
    if (err) return {{}, err};
    response got;
    if (const std::error_code e = detail::read_all(*in, state_->limits.max_body, got.body)) return {{}, e};
    got.status = in->head.status;
    got.headers = std::move(in->head.headers);
    got.trailers = std::move(in->trailers());
    return {std::move(got), {}};
  });
}

result<response> client::send(const context& ctx, std::string_view method, std::string_view url,
                              const header_list& headers, std::string_view body) const {
  return send(ctx,
              {.method = std::string(method), .url = std::string(url), .headers = headers, .body = std::string(body)});
}

result<response> client::get(const context& ctx, std::string_view url) const {
  return send(ctx, {.url = std::string(url)});
}

result<response> client::post(const context& ctx, std::string_view url, std::string_view type,
                              std::string_view body) const {
  return send(ctx, "POST", url, {{"Content-Type", std::string(type)}}, body);
}

result<response> get(const context& ctx, std::string_view url) {
  static const client& shared = *new client;
  return shared.get(ctx, url);
}

}  // namespace weft::http
