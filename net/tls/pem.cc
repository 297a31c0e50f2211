// Certificates, keys and roots out of PEM.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <weft/fs.h>
#include <weft/no_suspend.h>

#include <limits>

#include "net/tls/errors.h"
#include "net/tls/settings.h"

namespace weft::tls {

using namespace detail;

namespace {

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;

bio_ptr reading(std::string_view text) {
  if (text.size() > std::numeric_limits<int>::max()) return nullptr;
  return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) { return -1; }

// All of them, in order; null if one is broken.
chain_ptr certificates_in(std::string_view text) {
  const bio_ptr in = reading(text);
  chain_ptr all(sk_X509_new_null());
  if (!in || !all) return nullptr;
  for (;;) {
    x509_ptr one(PEM_read_bio_X509(in.get(), nullptr, no_password, nullptr));
    if (!one) break;
    if (sk_X509_push(all.get(), one.get()) == 0) return nullptr;
    (void)one.release();
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end ? std::move(all) : nullptr;
}

// For OpenSSL's calls: nothing of another's in the queue before, nothing of ours after, and the
// same thread throughout.
class undisturbed {
 public:
  undisturbed() { ERR_clear_error(); }
  ~undisturbed() { ERR_clear_error(); }

 private:
  no_suspend whole_;
};

}  // namespace

result<certificate> parse_certificate(std::string_view certificate_pem, std::string_view key_pem) {
  const undisturbed hold;
  auto pair = std::make_shared<key_pair>();
  pair->chain = certificates_in(certificate_pem);
  if (!pair->chain || sk_X509_num(pair->chain.get()) == 0) return {{}, own_error(errc::bad_pem)};
  pair->own.reset(sk_X509_shift(pair->chain.get()));
  const bio_ptr in = reading(key_pem);
  if (in) pair->key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  if (!pair->key || X509_check_private_key(pair->own.get(), pair->key.get()) != 1)
    return {{}, own_error(errc::bad_pem)};
  return {certificate(std::move(pair)), {}};
}

result<certificate> load_certificate(std::string_view certificate_file, std::string_view key_file) {
  const auto [chain, chain_err] = fs::read_file(certificate_file);
  if (chain_err) return {{}, chain_err};
  const auto [key, key_err] = fs::read_file(key_file);
  if (key_err) return {{}, key_err};
  return parse_certificate(chain, key);
}

result<roots> parse_roots(std::string_view pem) {
  const undisturbed hold;
  auto t = std::make_shared<trust>();
  t->all = certificates_in(pem);
  t->store.reset(X509_STORE_new());
  if (!t->all || !t->store || sk_X509_num(t->all.get()) == 0) return {{}, own_error(errc::bad_pem)};
  for (int i = 0; i < sk_X509_num(t->all.get()); ++i)
    if (X509_STORE_add_cert(t->store.get(), sk_X509_value(t->all.get(), i)) != 1) return {{}, own_error(errc::bad_pem)};
  return {roots(std::move(t)), {}};
}

result<roots> load_roots(std::string_view file) {
  const auto [text, err] = fs::read_file(file);
  return err ? result<roots>{{}, err} : parse_roots(text);
}

}  // namespace weft::tls
