// A connection of a server, request after request.
#pragma once
#include <memory>

#include "net/http/server_state.h"
#include "net/http/stream.h"

namespace weft::http::detail {

// Serves a connection until it ends. Throws nothing but what ends its fiber.
void serve_connection(const std::shared_ptr<server_state>& s, const stream_ptr& c);

}  // namespace weft::http::detail
