// A certificate for the examples of TLS, valid for one day.
#pragma once
#include <string>

namespace examples {

struct self_signed {
  std::string certificate, key;  // PEM
};
self_signed make_certificate(const std::string& host);

}  // namespace examples
