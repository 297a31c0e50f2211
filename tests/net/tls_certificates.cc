#include "tests/net/tls_certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace weft::testing {
namespace {

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using cert_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

template <class Write>
std::string text_of(Write write) {
  const bio_ptr to(BIO_new(BIO_s_mem()), BIO_free_all);
  must(write(to.get()) == 1, "PEM");
  const char* at = nullptr;
  const long n = BIO_get_mem_data(to.get(), &at);
  return {at, static_cast<std::size_t>(n)};
}

bio_ptr reading(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all};
}
key_ptr key_of(const pem& p) {
  return {PEM_read_bio_PrivateKey(reading(p.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}
cert_ptr cert_of(const pem& p) {
  return {PEM_read_bio_X509(reading(p.cert).get(), nullptr, nullptr, nullptr), X509_free};
}

void extend(X509* cert, X509* issuer, int what, const std::string& value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* const e = X509V3_EXT_conf_nid(nullptr, &ctx, what, value.c_str());
  must(e && X509_add_ext(cert, e, -1) == 1, value.c_str());
  X509_EXTENSION_free(e);
}

}  // namespace

pem make_certificate(const wanted& w, const pem* issuer) {
  static std::atomic<long> serial{1};
  const key_ptr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const cert_ptr cert(X509_new(), X509_free);
  must(key && cert, "no memory");
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), w.from_day * 86'400L);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), w.to_day * 86'400L);
  X509_set_pubkey(cert.get(), key.get());
  const auto* const name = reinterpret_cast<const unsigned char*>(w.name.c_str());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0);
  const cert_ptr above = issuer ? cert_of(*issuer) : cert_ptr(nullptr, X509_free);
  X509* const signer = above ? above.get() : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  extend(cert.get(), signer, NID_basic_constraints, w.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(cert.get(), signer, NID_subject_key_identifier, "hash");
  if (!w.hosts.empty()) extend(cert.get(), signer, NID_subject_alt_name, w.hosts);
  const key_ptr signing = issuer ? key_of(*issuer) : key_ptr(nullptr, EVP_PKEY_free);
  must(X509_sign(cert.get(), signing ? signing.get() : key.get(), EVP_sha256()) > 0, "signature");
  return {text_of([&](BIO* to) { return PEM_write_bio_X509(to, cert.get()); }), text_of([&](BIO* to) {
            return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

std::string locked_key(const pem& of) {
  char password[] = "secret";
  return text_of([&](BIO* to) {
    return PEM_write_bio_PrivateKey(to, key_of(of).get(), EVP_aes_128_cbc(), reinterpret_cast<unsigned char*>(password),
                                    6, nullptr, nullptr);
  });
}

const certificates& certificates::all() {
  static const certificates made;
  return made;
}

tls::config certificates::for_server() const { return {.certificate = server.certificate()}; }
tls::config certificates::for_client() const {
  return {.roots = tls::parse_roots(authority.cert).unwrap(), .server_name = "localhost"};
}

tls_pair_of_conns tls_pair(const tls::config& client, const tls::config& server) {
  auto [a, b] = tcp_pair();
  return {tls::client(a, client), tls::server(b, server)};
}
tls_pair_of_conns tls_pair() {
  const certificates& c = certificates::all();
  return tls_pair(c.for_client(), c.for_server());
}

both_ends shake_hands(const tls_pair_of_conns& p) {
  both_ends got;
  wait_group other;
  other.go([&] { got.server = p.server.handshake(); });
  got.client = p.client.handshake();
  if (got.client == net::errc::bad_address) (void)p.client.close();  // it has sent nothing that the server could refuse
  other.wait();
  return got;
}

}  // namespace weft::testing
