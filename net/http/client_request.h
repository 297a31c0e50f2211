// One request of the client as text, and what of the caller's request can be sent.
#pragma once
#include <weft/http_client.h>

#include <optional>
#include <string>
#include <string_view>

#include "net/http/answer_head.h"
#include "net/http/http_url.h"

namespace weft::http::detail {

// A request that has been checked, on its way to one place. A redirect changes it.
struct outgoing {
  client_request r;
  uri_parts at;            // what r.url says, for references
  http_url to;
  bool accepts_gzip = false;  // sends Accept-Encoding, which the caller did not set

  bool has_parts() const { return static_cast<bool>(r.body_parts); }
  bool is_idempotent() const;
};

// Checks the caller's request. Returns std::errc::invalid_argument or
// std::errc::protocol_not_supported.
std::error_code check_request(client_request& r);
result<outgoing> outgoing_of(client_request r);
// Changes `o` to what a redirect with this status and Location asks for. Credentials and the
// caller's Host go only where they were meant for. Returns std::errc::bad_message for a malformed
// Location.
std::error_code follow(outgoing& o, int status, std::string_view location);
bool is_redirect(int status) noexcept;

// The head. `proxy_authorization`: set if the request goes to a proxy, which gets the absolute
// form.
std::string head_text(const outgoing& o, const std::string* proxy_authorization, std::string_view cookies);
// "Basic ..." of "user:password".
std::string basic_authorization(std::string_view userinfo);

}  // namespace weft::http::detail
