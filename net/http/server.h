// Taking connections.
#pragma once
#include <weft/net.h>

#include <functional>
#include <memory>
#include <system_error>

#include "net/http/server_state.h"
#include "net/http/stream.h"

namespace weft::http::detail {

using accept_fn = std::function<result<stream_ptr>()>;
// Serves what `accept` returns until it fails because `l` is closed.
std::error_code serve_all(const std::shared_ptr<server_state>& s, const net::listener& l, const accept_fn& accept);

}  // namespace weft::http::detail
