#pragma once
#include <weft/http.h>

#include <system_error>

namespace weft::http::detail {

// Answers a GET or HEAD with an open regular file, or a part of it: the conditions and ranges of
// the request apply. Go's ServeContent.
void serve_content(response_writer& w, const request& r, const fs::file& file, const fs::info& info);

// Answers with a status and its words. What the handler has set about the file is removed.
void refuse_file(response_writer& w, int status);
// The status for a file that cannot be opened or read: 403, 404, 500 or 503.
int status_of(std::error_code e) noexcept;

}  // namespace weft::http::detail
