// A config in the form of OpenSSL.
#pragma once
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <weft/tls.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::tls::detail {

// OpenSSL would take itself apart in exit(), while threads of a world that has ended, or fibers of
// one that has not, still use it: a thread that ends looks there for what it has to free. Only what
// is said first counts, so it is said before main; the memory goes with the process.
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

// What a client offers to resume, or where it keeps what a server sends. Holds what the key names.
struct resumption {
  std::shared_ptr<kept_sessions> sessions;  // null: nothing is resumed
  std::string key;
  tls::roots roots;
  tls::certificate certificate;
};

// What OpenSSL's callbacks need during a connection. Never changed once it is made.
struct handshake_settings {
  std::string protocols;  // config::alpn in the form of the wire
  resumption resume;
  std::shared_ptr<ticket_key_list> tickets;           // null: none
  std::optional<certificate_store> certificates;
  tls::certificate certificate;                       // where no name matches
};

// Throws weft::panic for an error of the caller.
void check(const config& how, side s);
handshake_settings settings_of(const config& how, side s, const net::endpoint& peer);
// Returns a connection that has not begun. `mine` must live as long as the SSL. An error if OpenSSL
// refuses: keys too short, for example.
result<ssl_ptr> make_ssl(const config& how, side s, const handshake_settings* mine);
}  // namespace weft::tls::detail
