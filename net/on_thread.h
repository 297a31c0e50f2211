// Operations of plain threads: attempts, with poll(2) between them.
#pragma once
#include "net/perform.h"

namespace weft::detail {

outcome perform_on_thread(half& h, io_request& rq, const context* ctx);

}  // namespace weft::detail
