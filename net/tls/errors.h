// What OpenSSL says went wrong, as an error_code.
#pragma once
#include <openssl/ssl.h>
#include <weft/tls.h>

#include <system_error>

namespace weft::tls::impl {

inline std::error_code own_error(errc e) noexcept { return {static_cast<int>(e), tls_category()}; }

// The first error in this thread's queue, which is empty afterwards. To be called before anything may suspend: the
// fiber may go on in another thread, with another queue. `ssl`: whose handshake it was, if it was one.
std::error_code take_error(const SSL* ssl = nullptr) noexcept;

}  // namespace weft::tls::impl
