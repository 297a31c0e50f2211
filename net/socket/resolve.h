// From the words of dial and listen to addresses.
#pragma once
#include <weft/context.h>
#include <weft/net.h>

#include <string_view>
#include <vector>

namespace weft::detail {

enum class purpose { to_dial, to_listen };

// Where `address` is in `network`, the best first. Only names need the system's resolver.
result<std::vector<net::endpoint>> resolve(const context* ctx, std::string_view network, std::string_view address,
                                           purpose what);

// True for ":port" and "[::]:port", which with "tcp" and "udp" mean IPv4 too.
inline bool is_any_host(std::string_view address) noexcept {
  return address.starts_with(':') || address.starts_with("[::]:");
}

}  // namespace weft::detail
