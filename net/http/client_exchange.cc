#include "net/http/client_exchange.h"

#include <weft/go.h>

#include <algorithm>

#include "net/http/over_tls.h"

namespace weft::http::detail {
namespace {

constexpr std::size_t max_connect_head = 64 << 10;

std::error_code timed_out() { return make_error_code(weft::errc::timeout); }

// Connects within client_limits::dial_time. A lookup is bounded by a context only, and a context by
// a fiber only.
result<net::conn> connect(const client_limits& l, const context& ctx, const std::string& place, time_point end) {
  const time_point at = bounded(l.dial_time, end);
  if (at == time_point::max()) return net::dial(ctx, "tcp", place);
  const duration left = at - now();
  if (left.count() <= 0) return {{}, timed_out()};
  const net::dialer d{.timeout = left};
  if (!weft::detail::in_fiber()) return d.dial(ctx, "tcp", place);
  const auto [limited, cancel] = with_timeout(ctx, left);
  auto got = d.dial(limited, "tcp", place);
  if (got.err == weft::errc::deadline_exceeded && !ctx.err()) got.err = timed_out();
  return got;
}

// Reads the answer to CONNECT. The tunnel must be silent after it: the client speaks first in TLS.
std::error_code read_connect_answer(const context& ctx, const net::conn& c) {
  std::string text;
  for (;;) {
    head_scanner scanner;
    std::size_t size = scanner.find_end(text);
    while (size == std::string::npos) {
      std::byte some[1024];
      const auto [n, err] = c.read(ctx, some);
      if (err) return err == weft::errc::eof ? make_error_code(std::errc::connection_aborted) : err;
      text.append(reinterpret_cast<const char*>(some), n);
      if (text.size() > max_connect_head) return make_error_code(std::errc::message_size);
      size = scanner.find_end(text);
    }
    answer_head h;
    if (const std::error_code e = parse_head(std::string_view(text).substr(0, size), h)) return e;
    text.erase(0, size);
    if (h.status < 200 && h.status != 101) continue;
    if (h.status / 100 != 2) return make_error_code(std::errc::connection_refused);
    return text.empty() ? std::error_code() : make_error_code(std::errc::bad_message);
  }
}

std::error_code open_tunnel(const context& ctx, const net::conn& c, const http_url& proxy, const http_url& to) {
  std::string text = "CONNECT " + to.place() + " HTTP/1.1\r\nHost: " + to.place() + "\r\nUser-Agent: weft\r\n";
  if (proxy.userinfo) text += "Proxy-Authorization: " + basic_authorization(*proxy.userinfo) + "\r\n";
  text += "\r\n";
  if (const std::error_code e = c.write(ctx, std::as_bytes(std::span(text))).err) return e;
  return read_connect_answer(ctx, c);
}

// A connection that requests to `to` can be written to.
result<stream_ptr> dial(const client_state& s, const context& ctx, const http_url& to, time_point end) {
  if (s.via.fails(to)) return {nullptr, make_error_code(std::errc::protocol_not_supported)};
  const http_url* const proxy = s.via.for_url(to);
  auto [c, err] = connect(s.limits, ctx, proxy ? proxy->place() : to.place(), end);
  if (err) return {nullptr, err};
  if (!to.secure) return {plain_stream(std::move(c)), {}};
  c.set_deadline(bounded(s.limits.dial_time, end));
  if (proxy)
    if (const std::error_code e = open_tunnel(ctx, c, *proxy, to)) return {nullptr, e};
  return secure_client(ctx, std::move(c), to.host, s.secure);
}

// A plain proxy takes requests for any host; every other connection leads to one place.
std::string key_of(const client_state& s, const http_url& to) {
  const http_url* const proxy = s.via.for_url(to);
  if (!proxy) return to.origin();
  return to.secure ? to.origin() + " by " + proxy->origin() : "by " + proxy->origin();
}

std::string head_of(const client_state& s, const outgoing& o) {
  const std::string cookies = s.cookies ? s.cookies->get(to_text(o.at)) : std::string();
  const http_url* const proxy = o.to.secure ? nullptr : s.via.for_url(o.to);
  if (!proxy) return head_text(o, nullptr, cookies);
  const std::string authorization = proxy->userinfo ? basic_authorization(*proxy->userinfo) : std::string();
  return head_text(o, &authorization, cookies);
}

}  // namespace

result<std::unique_ptr<incoming>> exchange_once(const client_state& s, const context& ctx,
                                                const std::shared_ptr<outgoing>& o, time_point end) {
  if (const std::error_code e = ctx.err()) return {nullptr, e};
  const std::string key = key_of(s, o->to);
  for (bool may_reuse = true;; may_reuse = false) {
    std::optional<client_conn> c = may_reuse ? s.pool->take(key) : std::nullopt;
    const bool reused = c.has_value();
    if (!c) {
      auto [made, err] = dial(s, ctx, o->to, end);
      if (err) return {nullptr, err};
      c.emplace(std::move(made));
    }
    auto answer = std::make_unique<incoming>(std::move(*c), ctx, s.limits, end);
    const std::error_code e = answer->start(o, head_of(s, *o));
    if (!e) {
      answer->keep_in(s.pool, key);
      return {std::move(answer), {}};
    }
    if (!reused || ctx.err() || !answer->may_repeat(e)) return {nullptr, e};
  }
}

}  // namespace weft::http::detail
