// What a config holds, as OpenSSL has it.
#pragma once
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <weft/tls.h>

#include <memory>
#include <string>

namespace weft::tls::impl {

// OpenSSL would take itself apart in exit(), while threads of a world that has ended, or fibers of one that has not,
// still use it: a thread that ends looks there for what it has to free. Only what is said first counts, so it is said
// before main; the memory goes with the process.
inline const bool openssl_stays = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
inline void free_chain(STACK_OF(X509) * s) noexcept { sk_X509_pop_free(s, X509_free); }

using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using chain_ptr = std::unique_ptr<STACK_OF(X509), freed_by<free_chain>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;

// Never changed once they are made, and shared by any number of connections.
struct key_pair {
  x509_ptr own;
  chain_ptr chain;
  key_ptr key;
};
struct trust {
  store_ptr store;
  chain_ptr all;   // what is in it
};

enum class side { client, server };

// Throws weft::panic for what the caller should have known.
void check(const config& how, side s);
// A connection that has not begun, as `how` wants it; config::alpn in the form of the wire in `protocols`, which must
// live as long as the SSL. An error if OpenSSL refuses: keys too short, for example.
result<ssl_ptr> make_ssl(const config& how, side s, const std::string* protocols);
std::string on_the_wire(const std::vector<std::string>& alpn);

}  // namespace weft::tls::impl
