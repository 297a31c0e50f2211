#include "net/tls/resumption.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <weft/detail/spin_lock.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>

#include "runtime/fatal.h"

namespace weft::tls {

namespace detail {

struct kept_sessions {
  struct one {
    resumption of;  // without `sessions`
    session_ptr session;
  };
  weft::detail::spin_lock lock;
  std::list<one> all;      // under lock; the youngest last
  std::size_t most = 64;
};

struct ticket_key {
  unsigned char name[16], cipher[32], mac[32];
};
struct ticket_key_list {
  weft::detail::spin_lock lock;
  std::vector<ticket_key> all;  // under lock; the first encrypts
};

namespace {

ticket_key derived(const ticket_keys::key& secret) {
  unsigned char out[80];
  // One secret makes the three parts: expansion by HMAC, in the manner of HKDF (RFC 5869).
  for (unsigned char i = 0; i < 3; ++i) {
    unsigned char digest[32];
    unsigned n = 0;
    const unsigned char label[] = {'t', 'i', 'c', 'k', 'e', 't', i};
    if (!HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), label, sizeof label, digest, &n))
      weft::detail::fatal("tls: OpenSSL computes no HMAC");
    std::memcpy(out + 32 * i, digest, i == 2 ? 16 : 32);
  }
  ticket_key k;
  std::memcpy(k.cipher, out, 32);
  std::memcpy(k.mac, out + 32, 32);
  std::memcpy(k.name, out + 64, 16);
  return k;
}

// The first key to encrypt, or the one with this name. `index`: its place.
bool find_key(ticket_key_list& keys, const unsigned char* name, bool encrypt, ticket_key& found, std::size_t& index) {
  const std::lock_guard hold(keys.lock);
  for (index = 0; index < keys.all.size(); ++index) {
    if (!encrypt && std::memcmp(keys.all[index].name, name, 16) != 0) continue;
    found = keys.all[index];
    return true;
  }
  return false;
}

// 1: encrypted; 2: decrypted, and a new ticket follows, since a ticket is for one connection; 0: no
// such key; -1: failure.
int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int encrypt) {
  const auto* const mine = static_cast<const handshake_settings*>(SSL_get_app_data(ssl));
  if (!mine || !mine->tickets) return encrypt ? -1 : 0;
  ticket_key k;
  std::size_t index = 0;
  if (!find_key(*mine->tickets, name, encrypt != 0, k, index)) return encrypt ? -1 : 0;
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k.mac, sizeof k.mac),
                         OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, params) != 1) return -1;
  if (!encrypt) return EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, k.cipher, iv) == 1 ? 2 : -1;
  std::memcpy(name, k.name, sizeof k.name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  return EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, k.cipher, iv) == 1 ? 1 : -1;
}

// Keeps what a server has sent, as a copy: OpenSSL withdraws a connection's session when its end is
// not a clean one.
int keep_session(SSL* ssl, SSL_SESSION* s) {
  const auto* const mine = static_cast<const handshake_settings*>(SSL_get_app_data(ssl));
  if (!mine || !mine->resume.sessions || SSL_SESSION_is_resumable(s) != 1) return 0;
  if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) != X509_V_OK) return 0;
  session_ptr copy(SSL_SESSION_dup(s));
  if (!copy) return 0;
  kept_sessions& kept = *mine->resume.sessions;
  std::list<kept_sessions::one> fresh, dropped;
  fresh.push_back({{nullptr, mine->resume.key, mine->resume.roots, mine->resume.certificate}, std::move(copy)});
  const std::lock_guard hold(kept.lock);
  kept.all.splice(kept.all.end(), fresh);
  if (kept.all.size() > kept.most) dropped.splice(dropped.end(), kept.all, kept.all.begin());
  return 0;
}

}  // namespace

void enable_resumption(SSL_CTX* c, side s) {
  if (s == side::server) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(c, use_ticket_key);
    return;
  }
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(c, keep_session);
}

std::string resumption_key(const config& how, const net::endpoint& server) {
  const auto number = [](const void* p) { return std::to_string(reinterpret_cast<std::uintptr_t>(p)); };
  return (how.server_name.empty() ? server.to_string() : how.server_name) + '|' + number(how.roots.get()) + '|' +
         number(how.certificate.get()) + (how.insecure_skip_verify ? "|unchecked" : "|checked");
}

bool offer_session(SSL* ssl, const resumption& r) {
  std::list<kept_sessions::one> found;
  {
    const std::lock_guard hold(r.sessions->lock);
    auto& all = r.sessions->all;
    const auto at = std::find_if(all.rbegin(), all.rend(), [&](const auto& k) { return k.of.key == r.key; });
    if (at == all.rend()) return false;
    // One ticket, one connection (RFC 8446 appendix C.4).
    found.splice(found.end(), all, std::prev(at.base()));
  }
  SSL_SESSION* const s = found.front().session.get();
  const X509* const peer = SSL_SESSION_get0_peer(s);
  if (peer && X509_cmp_current_time(X509_get0_notAfter(peer)) < 0) return false;  // as a full handshake would find
  return SSL_set_session(ssl, s) == 1;
}

}  // namespace detail

session_cache::session_cache(std::size_t most) : it_(std::make_shared<detail::kept_sessions>()) { it_->most = most; }

ticket_keys::ticket_keys() : it_(std::make_shared<detail::ticket_key_list>()) {
  key secret;
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    weft::detail::fatal("tls: OpenSSL has no random bytes");
  set({secret});
}

void ticket_keys::set(const std::vector<key>& all) {
  std::vector<detail::ticket_key> next;
  for (const key& one : all) next.push_back(detail::derived(one));
  const std::lock_guard hold(it_->lock);
  it_->all.swap(next);
}

}  // namespace weft::tls
