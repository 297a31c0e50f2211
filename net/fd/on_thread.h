// Operations of plain threads: attempts, with poll(2) between them.
#pragma once
#include "net/fd/direction.h"
#include "net/fd/io_request.h"

namespace weft::detail {

// Blocks the calling OS thread until rq has a result, or a deadline, a close or ctx, which may be
// null, has ended the wait.
outcome perform_on_thread(direction& way, io_request& rq, const context* ctx);

}  // namespace weft::detail
