// What the copies of a client share, and one request with its answer.
#pragma once
#include <weft/http_client.h>

#include <memory>
#include <optional>

#include "net/http/client_conn.h"
#include "net/http/incoming.h"
#include "net/http/proxy.h"

namespace weft::http::detail {

struct client_state {
  // Set before the first request.
  client_limits limits;
  tls::config secure;
  proxies via = proxies::from_process();
  std::optional<cookie_jar> cookies;
  bool compression = true;
  const std::shared_ptr<conn_pool> pool = std::make_shared<conn_pool>();
};

// Sends *o on a kept connection or a new one and returns the answer after its head. Follows no
// redirect.
result<std::unique_ptr<incoming>> exchange_once(const client_state& s, const context& ctx,
                                                const std::shared_ptr<outgoing>& o, time_point end);

}  // namespace weft::http::detail
