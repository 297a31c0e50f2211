// Certificates for tests, made on the spot, and pairs of connections that use them.
#pragma once
#include <weft/tls.h>

#include <string>

#include "tests/net/on_each_poller.h"

namespace weft::testing {

// What a certificate says. Days count from now.
struct wanted {
  std::string name = "localhost";
  std::string hosts = "DNS:localhost,IP:127.0.0.1,IP:::1";  // empty: none
  int from_day = -1, to_day = 1;
  bool is_authority = false;
};

struct pem {
  std::string cert, key;
  tls::certificate certificate() const { return tls::parse_certificate(cert, key).unwrap(); }
};

// Signed by `issuer`, or by itself if there is none. Takes a key of its own.
pem make_certificate(const wanted& w, const pem* issuer = nullptr);
// The key, with a password.
std::string locked_key(const pem& of);

// One authority, and a server's certificate from it, for all tests of a program.
struct certificates {
  pem authority = make_certificate({.name = "Test CA", .hosts = "", .is_authority = true});
  pem server = make_certificate({}, &authority);
  pem client = make_certificate({.name = "client one", .hosts = ""}, &authority);
  static const certificates& all();

  tls::config for_server() const;
  tls::config for_client() const;   // of "localhost"
};

struct tls_pair_of_conns {
  tls::conn client, server;
};
// Two ends of a TCP connection whose handshake is still to come.
tls_pair_of_conns tls_pair(const tls::config& client, const tls::config& server);
tls_pair_of_conns tls_pair();
// What each of the two handshakes returned.
struct both_ends {
  std::error_code client, server;
};
both_ends shake_hands(const tls_pair_of_conns& p);

}  // namespace weft::testing
