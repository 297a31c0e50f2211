// Certificates by name.
#pragma once
#include <weft/tls.h>

#include <string_view>

namespace weft::tls::detail {

// Returns the certificate for exactly this name, or an empty handle.
certificate exact_match(const certificate_store& all, std::string_view server_name);

}  // namespace weft::tls::detail
