#include "net/http/secure.h"
#include "net/http/server_state.h"

namespace weft::http {

namespace impl {
namespace {

// The one protocol that is spoken here, unless the program has said something else.
tls::config speaking_http(tls::config how) {
  if (how.alpn.empty()) how.alpn = {"http/1.1"};
  return how;
}

// A client that speaks plain HTTP would see but the connection end: it is told.
std::error_code begin(const tls::conn& c) {
  const std::error_code e = c.handshake();
  if (e == tls::errc::http_request)
    (void)c.net_conn().write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS only.\n");
  return e;
}

stream_ptr secure_stream(tls::conn c) { return make_stream(std::move(c), begin); }

}  // namespace

result<stream_ptr> dial_secure(const context& ctx, std::string_view place, const tls::config& how) {
  auto [c, err] = tls::dial(ctx, "tcp", place, speaking_http(how));
  return {err ? nullptr : secure_stream(std::move(c)), err};
}

}  // namespace impl

std::error_code server::listen_and_serve_tls(const tls::config& how) {
  auto [l, err] = tls::listen("tcp", state_->address.empty() ? ":443" : state_->address, impl::speaking_http(how));
  return err ? err : serve(l);
}

std::error_code server::serve(const tls::listener& l) {
  return impl::serve_all(state_, l.net_listener(), [&l]() -> result<impl::stream_ptr> {
    auto [c, err] = l.accept();
    return {err ? nullptr : impl::secure_stream(std::move(c)), err};
  });
}

}  // namespace weft::http
