// One SSL_CTX for all clients and one for all servers: what differs between configs is set for each
// connection.
//
// Making an SSL_CTX takes OpenSSL 3 longer than a good part of a handshake, and one per config
// would have to notice that the config has changed. Certificates, keys and roots are read once,
// into handles.
//
// Sessions are resumed only where the config says so: resumption.h. Without tickets a server sends
// nothing that a client might leave unread: closing with something unread makes the kernel send a
// reset, which may overtake the client's last words.
#include "net/tls/settings.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <weft/no_suspend.h>

#include <algorithm>

#include "net/fd/c_string.h"
#include "net/tls/cert_store.h"
#include "net/tls/errors.h"
#include "net/tls/resumption.h"
#include "runtime/fatal.h"

namespace weft::tls::detail {
namespace {

// The server's favourite that the client knows.
int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_n, const unsigned char* in, unsigned in_n,
                    void*) {
  const auto* const mine = static_cast<const handshake_settings*>(SSL_get_app_data(ssl));
  if (!mine || mine->protocols.empty()) return SSL_TLSEXT_ERR_NOACK;
  const std::string* const ours = &mine->protocols;
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_n, reinterpret_cast<const unsigned char*>(ours->data()),
                                          static_cast<unsigned>(ours->size()), in, in_n);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool use(SSL* ssl, const key_pair& k) {
  return SSL_use_cert_and_key(ssl, k.own.get(), k.key.get(), k.chain.get(), 1) == 1;
}

// A server's certificate for the name that the client asks for. Returns 1: the handshake continues.
int choose_certificate(SSL* ssl, void*) {
  const auto* const mine = static_cast<const handshake_settings*>(SSL_get_app_data(ssl));
  if (!mine || !mine->certificates) return 1;
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  certificate chosen = name ? exact_match(*mine->certificates, name) : certificate();
  if (!chosen) chosen = mine->certificate ? mine->certificate : mine->certificates->find({});
  return chosen && use(ssl, *chosen.get()) ? 1 : 0;
}

// Ephemeral keys and authenticated encryption: RFC 9325 section 4.
constexpr const char* default_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* without_forward_secrecy = ":!aNULL:!eNULL:!kRSA:!kPSK:!kECDHEPSK:!kDHEPSK:!kRSAPSK:!kSRP";

SSL_CTX* make_ctx(side s) {
  SSL_CTX* const c = SSL_CTX_new(s == side::client ? TLS_client_method() : TLS_server_method());
  if (!c) weft::detail::fatal("tls: OpenSSL makes no SSL_CTX: " + take_error().message());
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(c, 0);
  if (SSL_CTX_set_cipher_list(c, default_ciphers) != 1)
    weft::detail::fatal("tls: OpenSSL has no cipher with forward secrecy");
  enable_resumption(c, s);
  if (s == side::client) return c;
  SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  SSL_CTX_set_cert_cb(c, choose_certificate, nullptr);
  return c;
}

SSL_CTX* ctx_for(side s) {
  static SSL_CTX* const all[] = {make_ctx(side::client), make_ctx(side::server)};
  return all[static_cast<int>(s)];
}

X509_STORE* system_store() {
  static X509_STORE* const store = [] {
    X509_STORE* s = X509_STORE_new();
    if (!s || X509_STORE_set_default_paths(s) != 1)
      weft::detail::fatal("tls: OpenSSL knows no place of the system's roots");
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
  return weft::detail::parse_ip(AF_INET, host, &any) || weft::detail::parse_ip(AF_INET6, host, &any);
}

bool set_host(SSL* ssl, const config& how) {
  const std::string host = host_of(how);
  if (host.empty()) return true;
  if (host.front() == '.' || host.find("..") != std::string::npos)
    return false;  // OpenSSL takes ".a" for any name below
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

// Sends the names of the authorities: some clients choose their certificate by them.
bool name_authorities(SSL* ssl, const config& how) {
  if (how.clients == client_auth::none || !how.roots.get()) return true;
  const STACK_OF(X509)* const all = how.roots.get()->all.get();
  for (int i = 0; i < sk_X509_num(all); ++i)
    if (SSL_add_client_CA(ssl, sk_X509_value(all, i)) != 1) return false;
  return true;
}

// Sets config::ciphers. False if a name is unknown or has no forward secrecy.
bool set_ciphers(SSL* ssl, const config& how) {
  std::string old, modern;
  for (const std::string& name : how.ciphers) {
    if (name.find_first_of(":+!@-, ") == 0 || name.find_first_of(":+!@, ") != std::string::npos) return false;
    std::string& list = name.starts_with("TLS_") ? modern : old;
    (list += list.empty() ? "" : ":") += name;
  }
  if (!old.empty() && SSL_set_cipher_list(ssl, (old + without_forward_secrecy).c_str()) != 1) return false;
  if (!modern.empty() && SSL_set_ciphersuites(ssl, modern.c_str()) != 1) return false;
  const STACK_OF(SSL_CIPHER)* const taken = SSL_get_ciphers(ssl);
  return std::all_of(how.ciphers.begin(), how.ciphers.end(), [taken](const std::string& name) {
    for (int i = 0; i < sk_SSL_CIPHER_num(taken); ++i)
      if (name == SSL_CIPHER_get_name(sk_SSL_CIPHER_value(taken, i))) return true;
    return false;
  });
}

bool set_up_resumption(SSL* ssl, side s, const handshake_settings& mine) {
  if (s == side::server) {
    if (!mine.tickets) return true;
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    constexpr unsigned char context[] = {'w', 'e', 'f', 't'};
    return SSL_set_num_tickets(ssl, 1) == 1 && SSL_set_session_id_context(ssl, context, sizeof context) == 1;
  }
  if (!mine.resume.sessions) return true;
  SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  (void)offer_session(ssl, mine.resume);
  return true;
}

bool set_up(SSL* ssl, const config& how, side s, const handshake_settings& mine) {
  if (const key_pair* k = how.certificate.get())
    if (!use(ssl, *k)) return false;
  X509_STORE* const store = how.roots.get() ? how.roots.get()->store.get() : system_store();
  if (SSL_set1_verify_cert_store(ssl, store) != 1) return false;
  SSL_set_verify(ssl, verify_mode(how, s), nullptr);
  // A certificate in the roots is trusted even if it is no root itself.
  if (X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN) != 1) return false;
  const int least = how.min_version == version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_set_min_proto_version(ssl, least) != 1) return false;
  if (s == side::server) {
    SSL_set_accept_state(ssl);
    return name_authorities(ssl, how) && set_up_resumption(ssl, s, mine);
  }
  SSL_set_connect_state(ssl);
  if (!mine.protocols.empty() && SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(mine.protocols.data()),
                                                     static_cast<unsigned>(mine.protocols.size())) != 0)
    return false;
  return set_host(ssl, how) && set_up_resumption(ssl, s, mine);
}

}  // namespace

void check(const config& how, side s) {
  if (s == side::server && !how.certificate && !(how.certificates && how.certificates->find({})))
    throw panic("tls: a server needs a config::certificate, or one in config::certificates");
  if (s == side::client && host_of(how).empty() && !how.insecure_skip_verify)
    throw panic("tls: a client needs a config::server_name to compare the certificate with");
  for (const std::string& p : how.alpn)
    if (p.empty() || p.size() > 255) throw panic("tls: a protocol in config::alpn has 1 to 255 bytes");
}

handshake_settings settings_of(const config& how, side s, const net::endpoint& peer) {
  handshake_settings mine;
  for (const std::string& p : how.alpn) (mine.protocols += static_cast<char>(p.size())) += p;
  if (s == side::client) {
    if (how.sessions) mine.resume = {how.sessions->get(), resumption_key(how, peer), how.roots, how.certificate};
    return mine;
  }
  mine.certificates = how.certificates;
  mine.certificate = how.certificate;
  if (how.tickets && how.clients == client_auth::none) mine.tickets = how.tickets->get();
  return mine;
}

result<ssl_ptr> make_ssl(const config& how, side s, const handshake_settings* mine) {
  if (s == side::client && weft::detail::has_nul(how.server_name))
    return {{}, net::make_error_code(net::errc::bad_address)};
  const no_suspend whole;  // the error queue is the thread's
  ERR_clear_error();
  ssl_ptr ssl(SSL_new(ctx_for(s)));
  if (!ssl) return {{}, take_error()};
  SSL_set_app_data(ssl.get(), const_cast<handshake_settings*>(mine));
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  if (!in || !out || !set_up(ssl.get(), how, s, *mine)) return {{}, take_error(ssl.get())};
  if (!how.ciphers.empty() && !set_ciphers(ssl.get(), how)) {
    ERR_clear_error();
    return {{}, make_error_code(std::errc::invalid_argument)};
  }
  return {std::move(ssl), {}};
}

}  // namespace weft::tls::detail
