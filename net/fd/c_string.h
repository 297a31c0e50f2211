// Strings with a length that are passed to the kernel or to the C library as C strings.
//
// A NUL byte would end such a string early, and another file, host or program would be meant. So
// every public function that takes a path, an address or a name refuses it before the call.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string_view>

namespace weft::detail {

inline bool has_nul(std::string_view text) noexcept { return text.find('\0') != std::string_view::npos; }

// inet_pton(3) of the whole text. `to`: an in_addr or in6_addr.
inline bool parse_ip(int family, std::string_view text, void* to) noexcept {
  char copy[INET6_ADDRSTRLEN + 1];
  if (text.size() >= sizeof copy || has_nul(text)) return false;
  *std::copy(text.begin(), text.end(), copy) = '\0';
  return inet_pton(family, copy, to) == 1;
}

}  // namespace weft::detail
