// HTTP over TLS. Without OpenSSL it is refused, by without_tls.cc, and nothing else differs.
#pragma once
#include <weft/tls.h>

#include "net/http/stream.h"

namespace weft::http::detail {

// Completes the handshake of a client on `c` with `host`.
result<stream_ptr> secure_client(const context& ctx, net::conn c, const std::string& host, tls::config how);

}  // namespace weft::http::detail
