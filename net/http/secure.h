// HTTP over TLS. Without OpenSSL it is refused, by without_tls.cc, and nothing else differs.
#pragma once
#include <weft/tls.h>

#include "net/http/stream.h"

namespace weft::http::impl {

// Connects to "host:port" and completes the handshake.
result<stream_ptr> dial_secure(const context& ctx, std::string_view place, const tls::config& how);

}  // namespace weft::http::impl
