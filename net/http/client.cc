// A client keeps a connection that has been read to the end of an answer for the next request to the same place.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <fmt/format.h>
#include <weft/mutex.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <map>
#include <mutex>

#include "net/http/exchange.h"
#include "net/http/secure.h"

namespace weft::http {

namespace impl {

struct kept {
  stream_ptr c;
  input in;
};

struct client_state {
  tls::config secure;                          // set before the first request
  mutex lock;
  std::multimap<std::string, kept> idle;       // these under lock; by scheme and place
  std::uint64_t max_body = 64 << 20;

  std::optional<kept> take(std::string_view scheme, std::string_view place);
  void give(std::string_view scheme, std::string_view place, kept k);
};

namespace {

constexpr std::size_t most_idle = 64;

struct parsed_url {
  bool secure = false;  // https
  std::string place;    // "host:port" to dial
  std::string host;     // for the header: without a port that goes without saying
  std::string target;   // path and query
};

std::string_view scheme_of(const parsed_url& u) { return u.secure ? "https://" : "http://"; }

std::error_code bad_url() { return make_error_code(std::errc::invalid_argument); }

result<parsed_url> parse(std::string_view url) {
  parsed_url u;
  u.secure = url.starts_with("https://");
  if (!u.secure && !url.starts_with("http://")) return {{}, make_error_code(std::errc::protocol_not_supported)};
  url.remove_prefix(scheme_of(u).size());
  url = url.substr(0, url.find('#'));
  const auto path = url.find_first_of("/?");
  std::string_view host = url.substr(0, path);
  if (host.empty() || host.front() == ':' || host.find('@') != std::string_view::npos) return {{}, bad_url()};
  u.host = host;
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  u.place = has_port ? std::string(host) : std::string(host) + (u.secure ? ":443" : ":80");
  u.target = path == std::string_view::npos ? "/" : std::string(url.substr(path));
  if (u.target.front() == '?') u.target.insert(0, "/");
  if (u.target.find_first_of(std::string_view(" \r\n\0", 4)) != std::string::npos) return {{}, bad_url()};
  return {std::move(u), {}};
}

// Where a redirect leads.
std::string resolve(const parsed_url& from, std::string_view to) {
  if (to.find("://") != std::string_view::npos) return std::string(to);
  const std::string scheme(scheme_of(from));
  if (to.starts_with("//")) return scheme.substr(0, scheme.find('/')) + std::string(to);
  const std::string base = scheme + from.host;
  if (to.starts_with('/')) return base + std::string(to);
  const std::string path = from.target.substr(0, from.target.find('?'));
  return base + path.substr(0, path.rfind('/') + 1) + std::string(to);
}

using parser = beast_http::response_parser<beast_http::string_body>;

struct reply {
  response r;
  bool keep = false;     // the connection is good for another request
  bool nothing = false;  // it ended before the first byte: it had been closed while it was idle
};

result<reply> read_reply(const context& ctx, kept& k, bool is_head, std::uint64_t max_body) {
  for (;;) {  // once for each provisional answer
    parser p;
    p.body_limit(max_body);
    p.eager(true);
    p.skip(is_head);
    while (!p.is_done()) {
      if (const std::string_view rest = k.in.rest(); !rest.empty()) {
        boost::system::error_code e;
        k.in.consume(p.put(boost::asio::buffer(rest.data(), rest.size()), e));
        if (e == beast_http::error::body_limit) return {{}, make_error_code(std::errc::message_size)};
        if (e && e != beast_http::error::need_more) return {{}, make_error_code(std::errc::bad_message)};
        if (p.is_done()) break;
      }
      if (const std::error_code e = k.in.fill(ctx, *k.c)) {
        reply none;
        none.nothing = !p.got_some();
        if (e != weft::errc::eof) return {std::move(none), e};
        boost::system::error_code incomplete;
        if (p.got_some()) p.put_eof(incomplete);
        if (!p.got_some() || incomplete) return {std::move(none), e};
      }
    }
    auto m = p.release();
    if (m.result_int() / 100 == 1 && m.result_int() != 101) continue;
    reply got;
    got.r.status = static_cast<int>(m.result_int());
    for (const auto& f : m)
      got.r.headers.emplace_back(std::string(f.name_string().data(), f.name_string().size()),
                                 std::string(f.value().data(), f.value().size()));
    got.keep = m.keep_alive() && !p.need_eof();
    got.r.body = std::move(m.body());
    return {std::move(got), {}};
  }
}

using header_list = std::vector<std::pair<std::string, std::string>>;

std::string text_of(std::string_view method, const parsed_url& u, const header_list& headers, std::string_view body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: weft\r\n", method, u.target, u.host);
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST" || method == "PUT")
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", body.size());
  text += "\r\n";
  return text += body;
}

bool well_formed(const header_list& headers) {
  constexpr std::string_view breaks("\r\n\0", 3);
  for (const auto& [name, value] : headers)
    if (name.find_first_of(breaks) != std::string::npos || value.find_first_of(breaks) != std::string::npos)
      return false;
  return true;
}

result<stream_ptr> dial_plain(const context& ctx, std::string_view place) {
  auto [c, err] = net::dial(ctx, "tcp", place);
  return {err ? nullptr : plain_stream(std::move(c)), err};
}

result<reply> round_trip(client_state& s, const context& ctx, std::string_view method, const parsed_url& u,
                         const header_list& headers, std::string_view body) {
  for (;;) {
    std::optional<kept> k = s.take(scheme_of(u), u.place);
    const bool reused = k.has_value();
    if (!k) {
      auto [c, err] = u.secure ? dial_secure(ctx, u.place, s.secure) : dial_plain(ctx, u.place);
      if (err) return {{}, err};
      k.emplace(kept{std::move(c), {}});
    }
    std::error_code err = k->c->write(ctx, text_of(method, u, headers, body)).err;
    // An answer may have come although not all was taken.
    result<reply> got = read_reply(ctx, *k, method == "HEAD", s.max_body);
    if (!got.err) {
      if (got.value.keep && !err) s.give(scheme_of(u), u.place, std::move(*k));
      return got;
    }
    if (ctx.err()) return {{}, ctx.err()};
    if (!reused || !got.value.nothing) return {{}, err ? err : got.err};
    // It had been closed while nobody looked; nothing of this request has been answered: again, with another.
  }
}

}  // namespace

std::optional<kept> client_state::take(std::string_view scheme, std::string_view place) {
  const std::lock_guard hold(lock);
  const auto at = idle.find(std::string(scheme) + std::string(place));
  if (at == idle.end()) return std::nullopt;
  std::optional<kept> k(std::move(at->second));
  idle.erase(at);
  return k;
}

void client_state::give(std::string_view scheme, std::string_view place, kept k) {
  const std::lock_guard hold(lock);
  if (idle.size() < most_idle) idle.emplace(std::string(scheme) + std::string(place), std::move(k));
}

}  // namespace impl

std::string_view response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  return {};
}

client::client() : state_(std::make_shared<impl::client_state>()) {}

client& client::set_max_body(std::uint64_t bytes) {
  state_->max_body = bytes;
  return *this;
}

client& client::set_tls(tls::config how) {
  state_->secure = std::move(how);
  return *this;
}

void client::close_idle() const {
  const std::lock_guard hold(state_->lock);
  state_->idle.clear();
}

result<response> client::send(const context& ctx, std::string_view method, std::string_view url,
                              const std::vector<std::pair<std::string, std::string>>& headers,
                              std::string_view body) const {
  std::string at(url), verb(method), content(body);
  if (!impl::well_formed(headers)) return {{}, impl::bad_url()};
  constexpr int most_redirects = 10;
  for (int i = 0; i <= most_redirects; ++i) {
    auto [u, wrong] = impl::parse(at);
    if (wrong) return {{}, wrong};
    auto [got, err] = impl::round_trip(*state_, ctx, verb, u, headers, content);
    if (err) return {{}, err};
    const int s = got.r.status;
    const std::string_view to = got.r.header("Location");
    if (to.empty() || (s != 301 && s != 302 && s != 303 && s != 307 && s != 308)) return {std::move(got.r), {}};
    if (s <= 303 && verb != "GET" && verb != "HEAD") {
      verb = "GET";
      content.clear();
    }
    at = impl::resolve(u, to);
  }
  return {{}, make_error_code(std::errc::too_many_links)};
}

result<response> client::get(const context& ctx, std::string_view url) const { return send(ctx, "GET", url, {}, {}); }

result<response> client::post(const context& ctx, std::string_view url, std::string_view type,
                              std::string_view body) const {
  return send(ctx, "POST", url, {{"Content-Type", std::string(type)}}, body);
}

result<response> get(const context& ctx, std::string_view url) {
  static const client& shared = *new client;
  return shared.get(ctx, url);
}

}  // namespace weft::http
