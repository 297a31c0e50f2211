#pragma once
#include <string_view>

namespace weft::http::detail {

// Returns the media type of a file by the extension of its name, "application/octet-stream" if it
// is unknown. Go's mime.TypeByExtension, without the tables of the system.
std::string_view media_type_of(std::string_view name) noexcept;

}  // namespace weft::http::detail
