// One request on a connection, from its head to the end of its answer.
#pragma once
#include "net/http/input.h"
#include "net/http/server_state.h"
#include "net/http/stream.h"

namespace weft::http::detail {

// Answers one request whose first bytes are there, and whose head must be there at `head_by`, and
// within limits::header_time. False: the connection ends, or is hijacked.
bool serve_request(server_state& s, server_state::place here, stream& c, input& in, time_point head_by, bool& hijacked);

}  // namespace weft::http::detail
