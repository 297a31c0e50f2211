// Whatever a URL, a Location or an address says, it is parsed or refused, and what is accepted
// cannot forge a request: libFuzzer's target for URLs and endpoints. An input is a base, a line
// break and a reference.
#include <arpa/inet.h>
#include <weft/weft.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "net/http/http_url.h"
#include "net/http/syntax.h"

namespace {

using namespace weft;
using namespace weft::http::detail;

void must(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

bool is_plain(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_url(const uri_parts& parts, encode how) {
  const auto [u, err] = http_url_of(parts, how);
  if (err) return;
  must(!u.host.empty() && is_plain(u.host), "a host has no blanks");
  must(u.host.find_first_of("/?#@\\") == std::string::npos, "a host ends where the authority ends");
  must(u.port > 0 && u.port < 65536, "a port is one");
  must(u.target.starts_with('/') && is_plain(u.target), "a target has no blanks");
  must(u.target.find('#') == std::string::npos, "a target has no fragment");
  // What is sent on as a URL means the same place.
  const auto [again, wrong] =
      http_url_of(split_uri(std::string(u.scheme()) + "://" + u.host_field() + u.target), encode::non_ascii);
  must(!wrong && again.target == u.target && again.port == u.port, "a URL's own text is a URL");
}

// Anything else would be looked up as a name, by the network.
bool is_address(std::string host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  in6_addr any{};
  return host.empty() || inet_pton(AF_INET, host.c_str(), &any) == 1 || inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

void check_endpoint(const std::string& text) {
  if (!is_address(text.substr(0, text.rfind(':')))) return;
  const auto [at, err] = net::resolve("tcp", text);
  if (err || at.port() == 0) return;
  const auto [again, wrong] = net::resolve("tcp", at.to_string());
  must(!wrong && again == at, "an endpoint's own text is that endpoint");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view second = text.substr(std::min(text.size(), first.size() + 1));
  const uri_parts base = split_uri(first), reference = split_uri(second);
  must(to_text(base) == first, "the components make the text again");
  check_url(base, encode::non_ascii);
  check_url(base, encode::all_unsafe);
  const uri_parts to = resolve_reference(base, reference);
  must(reference.path.empty() || to.path.find("/../") == std::string::npos,
       "a path that was merged has no dot segments");
  check_url(to, encode::all_unsafe);
  check_endpoint(std::string(first));
  return 0;
}
