#include "net/tls/engine.h"

#include <openssl/err.h>
#include <weft/no_suspend.h>

#include <mutex>
#include <string>

#include "net/tls/errors.h"

namespace weft::tls::detail {
namespace {

// Around calls of OpenSSL's: the lock, and the same thread from the call to its error.
class calling {
 public:
  explicit calling(mutex& m) : hold_(m) { ERR_clear_error(); }

 private:
  const std::lock_guard<mutex> hold_;
  const no_suspend whole_;
};

std::string subject_of(X509* cert) {
  if (!cert) return {};
  BIO* const text = BIO_new(BIO_s_mem());
  if (!text) return {};
  X509_NAME_print_ex(text, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  const char* at = nullptr;
  const long n = BIO_get_mem_data(text, &at);
  std::string s(at, n > 0 ? static_cast<std::size_t>(n) : 0);
  BIO_free(text);
  return s;
}

}  // namespace

step engine::outcome_of(int ret, std::size_t n) {
  step s;
  if (ret == 1) {
    s.n = n;
  } else {
    const int why = SSL_get_error(ssl_.get(), ret);
    if (why == SSL_ERROR_WANT_READ) s.wants_input = true;
    else if (why == SSL_ERROR_ZERO_RETURN) s.err = weft::errc::eof;
    else s.err = broken_ = take_error(ssl_.get());
  }
  s.has_output = BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) > 0;
  return s;
}

step engine::handshake() {
  const calling c(lock_);
  if (broken_) return {.err = broken_};
  return outcome_of(SSL_do_handshake(ssl_.get()), 0);
}

step engine::read(std::span<std::byte> to) {
  const calling c(lock_);
  if (broken_) return {.err = broken_};
  std::size_t n = 0;
  const int ret = SSL_read_ex(ssl_.get(), to.data(), to.size(), &n);
  return outcome_of(ret, n);
}

step engine::write(std::span<const std::byte> data) {
  const calling c(lock_);
  if (broken_) return {.err = broken_};
  std::size_t n = 0;
  const int ret = SSL_write_ex(ssl_.get(), data.data(), data.size(), &n);
  return outcome_of(ret, n);
}

void engine::say_goodbye() {
  const calling c(lock_);
  if (ssl_ && !broken_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void engine::feed(std::span<const std::byte> from_peer) {
  const calling c(lock_);
  std::size_t n = 0;
  if (BIO_write_ex(SSL_get_rbio(ssl_.get()), from_peer.data(), from_peer.size(), &n) != 1 && !broken_)
    broken_ = make_error_code(std::errc::not_enough_memory);
}

bool engine::has_input() {
  const calling c(lock_);
  return ssl_ && (SSL_has_pending(ssl_.get()) == 1 || BIO_ctrl_pending(SSL_get_rbio(ssl_.get())) > 0);
}

void engine::take_output(std::vector<std::byte>& to) {
  const calling c(lock_);
  if (!ssl_) return;
  const std::size_t pending = BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), had = to.size();
  if (pending == 0) return;
  to.resize(had + pending);
  std::size_t n = 0;
  BIO_read_ex(SSL_get_wbio(ssl_.get()), &to[had], pending, &n);
  to.resize(had + n);
}

std::size_t engine::output_size() {
  const calling c(lock_);
  return ssl_ ? BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) : 0;
}

std::error_code engine::fail(std::error_code why) {
  const calling c(lock_);
  if (!broken_) broken_ = why;
  if (ssl_) (void)BIO_reset(SSL_get_wbio(ssl_.get()));
  return broken_;
}

// OpenSSL has no call that shrinks a BIO in memory. If there is no memory for a new one, the old
// one stays.
void engine::give_back_buffers() {
  const calling c(lock_);
  SSL* const ssl = ssl_.get();
  if (!ssl) return;
  if (BIO_ctrl_pending(SSL_get_rbio(ssl)) == 0)
    if (BIO* const empty = BIO_new(BIO_s_mem())) SSL_set0_rbio(ssl, empty);
  if (BIO_ctrl_pending(SSL_get_wbio(ssl)) == 0)
    if (BIO* const empty = BIO_new(BIO_s_mem())) SSL_set0_wbio(ssl, empty);
  ERR_clear_error();
}

connection_state engine::state(bool checks_peer) {
  const calling c(lock_);
  connection_state s;
  SSL* const ssl = ssl_.get();
  if (!ssl || !SSL_is_init_finished(ssl)) return s;
  s.complete = true;
  s.version = SSL_get_version(ssl);
  s.cipher = SSL_get_cipher_name(ssl);
  const unsigned char* alpn = nullptr;
  unsigned n = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &n);
  s.alpn.assign(reinterpret_cast<const char*>(alpn), n);
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) s.server_name = name;
  X509* const peer = SSL_get0_peer_certificate(ssl);
  s.peer_subject = subject_of(peer);
  s.resumed = SSL_session_reused(ssl) == 1;
  s.verified = checks_peer && peer && SSL_get_verify_result(ssl) == X509_V_OK;
  return s;
}

}  // namespace weft::tls::detail
