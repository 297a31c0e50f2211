#include <weft/http.h>

#include "net/http/over_tls.h"

namespace weft::http {

namespace {

std::error_code refused() { return make_error_code(std::errc::protocol_not_supported); }

}  // namespace

result<detail::stream_ptr> detail::secure_client(const context&, net::conn, const std::string&, tls::config) {
  return {{}, refused()};
}

std::error_code server::listen_and_serve_tls(const tls::config&) { return refused(); }
std::error_code server::serve(const tls::listener&) { return refused(); }

}  // namespace weft::http
