// One request on a connection, from its head to the end of its answer.
#pragma once
#include "net/http/input.h"
#include "net/http/server_state.h"
#include "net/http/stream.h"

namespace weft::http::impl {

// Answers one request whose first bytes are there. False: the connection ends, or is hijacked.
bool serve_request(server_state& s, server_state::place here, stream& c, input& in, bool& hijacked);

}  // namespace weft::http::impl
