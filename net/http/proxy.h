// Which proxy a request goes through. Go's http.ProxyFromEnvironment.
#pragma once
#include <weft/errors.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/http_url.h"

namespace weft::http::detail {

class proxies {
 public:
  // No proxy.
  proxies() = default;
  // `value(name)` is the environment variable, empty if it is not set. Ignores a proxy that is
  // malformed. Requests by one of a scheme that weft does not have fail: they must not go directly.
  static proxies from_environment(const std::function<std::string(const char*)>& value);
  static proxies from_process();
  // One proxy for all requests. Returns std::errc::invalid_argument for what is not http://host.
  static result<proxies> only(std::string_view url);

  // Null: the request goes to its place directly, or fails.
  const http_url* for_url(const http_url& u) const;
  bool fails(const http_url& u) const;

 private:
  bool is_excepted(const http_url& u) const;
  std::optional<http_url> plain_, secure_;
  bool plain_fails_ = false, secure_fails_ = false;
  bool uses_exceptions_ = false;
  std::vector<std::string> exceptions_;
};

}  // namespace weft::http::detail
