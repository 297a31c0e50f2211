// Certificates by name, which may be replaced while servers use them.
#include "net/tls/cert_store.h"

#include <openssl/x509v3.h>
#include <weft/detail/spin_lock.h>

#include <mutex>

#include "net/tls/settings.h"

namespace weft::tls {

namespace detail {

struct named_certificates {
  weft::detail::spin_lock lock;
  std::shared_ptr<const std::vector<certificate>> all =
      std::make_shared<const std::vector<certificate>>();  // under lock
};

}  // namespace detail

certificate_store::certificate_store() : it_(std::make_shared<detail::named_certificates>()) {}

void certificate_store::set(std::vector<certificate> all) {
  for (const certificate& c : all)
    if (!c) throw panic("tls: an empty certificate in a certificate_store");
  auto next = std::make_shared<const std::vector<certificate>>(std::move(all));
  const std::lock_guard hold(it_->lock);
  it_->all.swap(next);
}

namespace {

std::shared_ptr<const std::vector<certificate>> all_of(const certificate_store& s) {
  const std::lock_guard hold(s.get()->lock);
  return s.get()->all;
}

}  // namespace

certificate detail::exact_match(const certificate_store& s, std::string_view server_name) {
  constexpr unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  const auto all = all_of(s);
  if (!server_name.empty())
    for (const certificate& c : *all)
      if (X509_check_host(c.get()->own.get(), server_name.data(), server_name.size(), flags, nullptr) == 1) return c;
  return {};
}

certificate certificate_store::find(std::string_view server_name) const {
  certificate found = detail::exact_match(*this, server_name);
  if (found) return found;
  const auto all = all_of(*this);
  return all->empty() ? certificate() : all->front();
}

}  // namespace weft::tls
