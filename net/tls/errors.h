// What OpenSSL says went wrong, as an error_code.
#pragma once
#include <openssl/ssl.h>
#include <weft/tls.h>

#include <system_error>

namespace weft::tls::detail {

inline std::error_code own_error(errc e) noexcept { return {static_cast<int>(e), tls_category()}; }

// Returns the first error in this thread's queue and empties the queue. Call it before the fiber
// can suspend: it may continue in another thread, with another queue. `ssl`: the connection, if the
// error is one of a handshake.
std::error_code take_error(const SSL* ssl = nullptr) noexcept;

}  // namespace weft::tls::detail
