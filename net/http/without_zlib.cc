#include "net/http/gunzip.h"

namespace weft::http::detail {

bool has_gunzip() noexcept { return false; }
std::unique_ptr<gunzip> make_gunzip() { return nullptr; }

}  // namespace weft::http::detail
