// One number has to carry what happened, or message() could not say it and programs could not ask
// for it.
//
// So the numbers of the category have ranges: what errc names, why a certificate was refused
// (X509_V_ERR_...), what the peer said (its alert), and above these OpenSSL's own numbers.
// Conditions look through all of them.
//
// Refused: a category per range, of which a user would have to know; text in a thread-local, which
// is another fiber's by the time it is read.
#include "net/tls/errors.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <string>

namespace weft::tls {
namespace {

constexpr int verify_range = 0x1000, alert_range = 0x2000, ranges_end = 0x3000;

bool is_verify(int code) noexcept { return code >= verify_range && code < alert_range; }
bool is_alert(int code) noexcept { return code >= alert_range && code < ranges_end; }
bool is_ssl(int code) noexcept {
  return code >= ranges_end && ERR_GET_LIB(static_cast<unsigned long>(code)) == ERR_LIB_SSL;
}
int reason_of(int code) noexcept { return ERR_GET_REASON(static_cast<unsigned long>(code)); }

bool is_untrusted(int verify) noexcept {
  switch (verify) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED: return true;
    default: return false;
  }
}
bool is_expired(int verify) noexcept {
  return verify == X509_V_ERR_CERT_HAS_EXPIRED || verify == X509_V_ERR_CERT_NOT_YET_VALID;
}
bool is_wrong_host(int verify) noexcept {
  return verify == X509_V_ERR_HOSTNAME_MISMATCH || verify == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

bool is_not_tls(int reason) noexcept {
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_UNKNOWN_PROTOCOL: return true;
    default: return false;
  }
}
bool is_no_common(int reason) noexcept {
  switch (reason) {
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW: return true;
    default: return false;
  }
}
bool is_alert_of_no_common(int alert) noexcept {
  return alert == SSL_AD_PROTOCOL_VERSION || alert == SSL_AD_INSUFFICIENT_SECURITY ||
         alert == SSL_AD_NO_APPLICATION_PROTOCOL || alert == SSL_AD_HANDSHAKE_FAILURE;
}

bool means(int code, errc what) noexcept {
  const int verify = is_verify(code) ? code - verify_range : 0;
  const int reason = is_ssl(code) ? reason_of(code) : 0;
  switch (what) {
    case errc::bad_certificate: return is_verify(code);
    case errc::expired: return is_expired(verify);
    case errc::unknown_authority: return is_untrusted(verify);
    case errc::wrong_host: return is_wrong_host(verify);
    case errc::no_certificate: return reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    case errc::not_tls: return is_not_tls(reason);
    case errc::http_request: return reason == SSL_R_HTTP_REQUEST;
    case errc::refused: return is_alert(code);
    case errc::no_common: return is_no_common(reason) || (is_alert(code) && is_alert_of_no_common(code - alert_range));
    default: return code == static_cast<int>(what);
  }
}

std::string_view advice_on(int verify) noexcept {
  if (is_wrong_host(verify)) return "the certificate is for another host: see config::server_name";
  if (verify == X509_V_ERR_CERT_HAS_EXPIRED) return "the peer needs a new one, or the clock here is wrong";
  if (verify == X509_V_ERR_CERT_NOT_YET_VALID) return "the clock here is wrong, or the peer's was";
  if (is_untrusted(verify)) return "who issued it is not in config::roots, or the peer does not send the whole chain";
  if (verify == X509_V_ERR_INVALID_PURPOSE) return "it is not made for this side of a connection";
  return "the peer needs another one";
}

std::string_view advice_on_alert(int alert) noexcept {
  switch (alert) {
    case SSL_AD_UNKNOWN_CA: return "it does not trust who issued the certificate of this side";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_UNKNOWN: return "it refused the certificate of this side";
    case SSL_AD_CERTIFICATE_EXPIRED: return "the certificate of this side is too old";
    case SSL_AD_CERTIFICATE_REQUIRED: return "it requires a certificate of this side: see config::certificate";
    case SSL_AD_HANDSHAKE_FAILURE: return "the two have no cipher in common, or it requires a certificate";
    case SSL_AD_PROTOCOL_VERSION: return "it does not speak this version: see config::min_version";
    case SSL_AD_NO_APPLICATION_PROTOCOL: return "it speaks none of config::alpn";
    case SSL_AD_UNRECOGNIZED_NAME: return "it has no host of this name: see config::server_name";
    default: return "it ended the connection";
  }
}

std::string_view own_words(errc e) noexcept {
  switch (e) {
    case errc::unexpected_eof: return "unexpected end: the peer left without a closing message, so data may be missing";
    case errc::closed_in_handshake:
      return "the peer closed the connection during the handshake; its log may say why, or it speaks no TLS";
    case errc::not_tls: return "the peer speaks no TLS";
    case errc::http_request: return "the peer speaks HTTP, not HTTPS";
    case errc::bad_certificate: return "certificate refused";
    case errc::expired: return "certificate expired or not yet valid";
    case errc::unknown_authority: return "certificate of an unknown authority";
    case errc::wrong_host: return "certificate of another host";
    case errc::no_certificate: return "the peer has shown no certificate, and must";
    case errc::refused: return "the peer refused";
    case errc::no_common: return "no version, cipher or protocol in common";
    case errc::bad_pem:
      return "no usable certificate and key: not PEM, a key with a password, or the two do not belong together";
  }
  return "unknown error";
}

std::string ssl_words(int code) {
  const int reason = is_ssl(code) ? reason_of(code) : 0;
  const char* const text = ERR_reason_error_string(static_cast<unsigned long>(code));
  const std::string said = text ? text : fmt::format("OpenSSL's error {:#x}", code);
  if (reason == SSL_R_HTTP_REQUEST) return fmt::format("{} ({})", own_words(errc::http_request), said);
  if (is_not_tls(reason))
    return fmt::format("{}: plain text, or another port is meant ({})", own_words(errc::not_tls), said);
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) return std::string(own_words(errc::no_certificate));
  if (is_no_common(reason)) return fmt::format("{} ({})", own_words(errc::no_common), said);
  return said;
}

class tls_errors final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.tls"; }

  std::string message(int code) const override {
    if (is_verify(code)) {
      const int verify = code - verify_range;
      return fmt::format("tls: certificate refused: {}; {}", X509_verify_cert_error_string(verify), advice_on(verify));
    }
    if (is_alert(code)) {
      const int alert = code - alert_range;
      return fmt::format("tls: the peer says '{}': {}", SSL_alert_desc_string_long(alert), advice_on_alert(alert));
    }
    if (code >= ranges_end) return "tls: " + ssl_words(code);
    return fmt::format("tls: {}", own_words(static_cast<errc>(code)));
  }

  bool equivalent(int code, const std::error_condition& c) const noexcept override {
    return c.category() == *this && means(code, static_cast<errc>(c.value()));
  }
};

}  // namespace

const std::error_category& tls_category() noexcept {
  static const tls_errors c;
  return c;
}

std::error_code detail::take_error(const SSL* ssl) noexcept {
  const unsigned long first = ERR_peek_error();
  ERR_clear_error();
  if (first == 0) return make_error_code(std::errc::protocol_error);
  if (ERR_SYSTEM_ERROR(first)) return {ERR_GET_REASON(first), std::system_category()};
  const int reason = ERR_GET_REASON(first);
  if (ERR_GET_LIB(first) == ERR_LIB_SSL) {
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && ssl)
      return {verify_range + static_cast<int>(SSL_get_verify_result(ssl)), tls_category()};
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
      return {alert_range + reason - SSL_AD_REASON_OFFSET, tls_category()};
  }
  return {static_cast<int>(first), tls_category()};
}

}  // namespace weft::tls
