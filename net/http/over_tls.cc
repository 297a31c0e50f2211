#include "net/http/over_tls.h"

#include "net/http/server.h"
#include "net/http/server_state.h"

namespace weft::http {

namespace detail {
namespace {

// Offers HTTP/1.1 alone, unless the program has set config::alpn.
tls::config speaking_http(tls::config how) {
  if (how.alpn.empty()) how.alpn = {"http/1.1"};
  return how;
}

// Answers a client that speaks plain HTTP: it would see only the end of the connection.
std::error_code begin(const tls::conn& c) {
  const std::error_code e = c.handshake();
  if (e == tls::errc::http_request)
    (void)c.net_conn().write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS only.\n");
  return e;
}

stream_ptr secure_stream(tls::conn c) { return make_stream(std::move(c), begin); }

}  // namespace

result<stream_ptr> secure_client(const context& ctx, net::conn c, const std::string& host, tls::config how) {
  if (how.server_name.empty()) how.server_name = host;
  tls::conn secured = tls::client(std::move(c), speaking_http(std::move(how)));
  if (const std::error_code e = secured.handshake(ctx)) return {nullptr, e};
  return {secure_stream(std::move(secured)), {}};
}

}  // namespace detail

std::error_code server::listen_and_serve_tls(const tls::config& how) {
  auto [l, err] = tls::listen("tcp", state_->address.empty() ? ":443" : state_->address, detail::speaking_http(how));
  return err ? err : serve(l);
}

std::error_code server::serve(const tls::listener& l) {
  return detail::serve_all(state_, l.net_listener(), [&l]() -> result<detail::stream_ptr> {
    auto [c, err] = l.accept();
    return {err ? nullptr : detail::secure_stream(std::move(c)), err};
  });
}

}  // namespace weft::http
