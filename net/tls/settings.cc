// One SSL_CTX for all clients and one for all servers: what differs between configs is set for each connection.
//
// Making an SSL_CTX takes OpenSSL 3 longer than a good part of a handshake, and one per config would have to notice
// that the config has changed. Certificates, keys and roots are read once, into handles.
//
// Sessions are not resumed, on purpose: a ticket outlives its connection, and whom it admits no longer shows a
// certificate. Without tickets a server sends nothing that a client might leave unread: closing with something unread
// makes the kernel send a reset, which may overtake the client's last words.
#include "net/tls/settings.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <weft/no_suspend.h>

#include <algorithm>

#include "net/tls/errors.h"
#include "runtime/fatal.h"

namespace weft::tls::impl {
namespace {

// The server's favourite that the client knows.
int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_n, const unsigned char* in, unsigned in_n,
                    void*) {
  const auto* const ours = static_cast<const std::string*>(SSL_get_app_data(ssl));
  if (!ours || ours->empty()) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_n, reinterpret_cast<const unsigned char*>(ours->data()),
                                          static_cast<unsigned>(ours->size()), in, in_n);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX* make_ctx(side s) {
  SSL_CTX* const c = SSL_CTX_new(s == side::client ? TLS_client_method() : TLS_server_method());
  if (!c) detail::fatal("tls: OpenSSL makes no SSL_CTX: " + take_error().message());
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(c, 0);
  if (s == side::server) SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  return c;
}

SSL_CTX* ctx_for(side s) {
  static SSL_CTX* const all[] = {make_ctx(side::client), make_ctx(side::server)};
  return all[static_cast<int>(s)];
}

X509_STORE* system_store() {
  static X509_STORE* const store = [] {
    X509_STORE* s = X509_STORE_new();
    if (!s || X509_STORE_set_default_paths(s) != 1) detail::fatal("tls: OpenSSL knows no place of the system's roots");
    ERR_clear_error();
    return s;
  }();
  return store;
}

// Without a final dot, and without the zone of an address.
std::string host_of(const config& how) {
  std::string host = how.server_name;
  if (!host.empty() && host.back() == '.') host.pop_back();
  if (host.find(':') != std::string::npos) host.resize(std::min(host.find('%'), host.size()));
  return host;
}

bool is_address(const std::string& host) {
  in6_addr any;
  return inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

bool set_host(SSL* ssl, const config& how) {
  const std::string host = host_of(how);
  if (host.empty()) return true;
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

int verify_mode(const config& how, side s) {
  if (s == side::client) return how.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
  switch (how.clients) {
    case client_auth::none: return SSL_VERIFY_NONE;
    case client_auth::if_given: return SSL_VERIFY_PEER;
    case client_auth::required: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER;
}

// Tells clients whose certificates would do; some choose by it.
bool name_authorities(SSL* ssl, const config& how) {
  if (how.clients == client_auth::none || !how.roots.get()) return true;
  const STACK_OF(X509)* const all = how.roots.get()->all.get();
  for (int i = 0; i < sk_X509_num(all); ++i)
    if (SSL_add_client_CA(ssl, sk_X509_value(all, i)) != 1) return false;
  return true;
}

bool set_up(SSL* ssl, const config& how, side s, const std::string& protocols) {
  if (const key_pair* k = how.certificate.get())
    if (SSL_use_cert_and_key(ssl, k->own.get(), k->key.get(), k->chain.get(), 1) != 1) return false;
  X509_STORE* const store = how.roots.get() ? how.roots.get()->store.get() : system_store();
  if (SSL_set1_verify_cert_store(ssl, store) != 1) return false;
  SSL_set_verify(ssl, verify_mode(how, s), nullptr);
  // Whoever is in the roots is trusted, also one that is no root itself.
  if (X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN) != 1) return false;
  const int least = how.min_version == version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_set_min_proto_version(ssl, least) != 1) return false;
  if (s == side::server) {
    SSL_set_accept_state(ssl);
    return name_authorities(ssl, how);
  }
  SSL_set_connect_state(ssl);
  if (!protocols.empty() && SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                                                static_cast<unsigned>(protocols.size())) != 0)
    return false;
  return set_host(ssl, how);
}

}  // namespace

void check(const config& how, side s) {
  if (s == side::server && !how.certificate) throw panic("tls: a server needs a config::certificate");
  if (s == side::client && host_of(how).empty() && !how.insecure_skip_verify)
    throw panic("tls: a client needs a config::server_name to compare the certificate with");
  for (const std::string& p : how.alpn)
    if (p.empty() || p.size() > 255) throw panic("tls: a protocol in config::alpn has 1 to 255 bytes");
}

std::string on_the_wire(const std::vector<std::string>& alpn) {
  std::string all;
  for (const std::string& p : alpn) (all += static_cast<char>(p.size())) += p;
  return all;
}

result<ssl_ptr> make_ssl(const config& how, side s, const std::string* protocols) {
  const no_suspend whole;  // the error queue is the thread's
  ERR_clear_error();
  ssl_ptr ssl(SSL_new(ctx_for(s)));
  if (!ssl) return {{}, take_error()};
  SSL_set_app_data(ssl.get(), const_cast<std::string*>(protocols));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  if (!in || !out || !set_up(ssl.get(), how, s, *protocols)) return {{}, take_error(ssl.get())};
  return {std::move(ssl), {}};
}

}  // namespace weft::tls::impl
