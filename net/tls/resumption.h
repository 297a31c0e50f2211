// Resumption of sessions: what a client keeps, and the keys of a server's tickets.
//
// Both are off unless the config says otherwise. A ticket outlives its connection, and its owner
// shows no certificate when it comes back: so a server that asks for certificates sends no tickets,
// and a client resumes only with the same name, roots and certificate, after a check that was good.
#pragma once
#include <openssl/ssl.h>

#include <string>

#include "net/tls/settings.h"

namespace weft::tls::detail {

using session_ptr = std::unique_ptr<SSL_SESSION, freed_by<SSL_SESSION_free>>;

// For the SSL_CTX of each side: what OpenSSL calls.
void enable_resumption(SSL_CTX* c, side s);

// What decides whether a client's session may be resumed: the name, or the address where there is
// none, and the trust.
std::string resumption_key(const config& how, const net::endpoint& server);
// Offers a session that was kept. False if there is none.
bool offer_session(SSL* ssl, const resumption& r);

}  // namespace weft::tls::detail
