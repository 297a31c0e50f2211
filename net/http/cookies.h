// What the client stores of an answer.
#pragma once
#include <weft/http_client.h>

#include <string_view>

#include "net/http/http_url.h"

namespace weft::http::detail {

// Of one answer. More than a jar keeps of one host is of no use.
inline constexpr std::size_t max_cookies_of_answer = 100;

jar& jar_of(const cookie_jar& j) noexcept;
// As cookie_jar::set(), for a URL that has been taken apart.
void set_cookie(const cookie_jar& to, const http_url& from, std::string_view set_cookie);

}  // namespace weft::http::detail
