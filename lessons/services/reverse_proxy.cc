// Passes requests on to another server, e.g. http://127.0.0.1:9000:
//   reverse_proxy BACKEND [ADDRESS]
//
// Bodies are streamed both ways: neither is in memory as a whole, and a slow end slows the other
// one down. Fields that are about one connection stay on it (RFC 9110 section 7.6.1), and the
// backend learns the client's address from X-Forwarded-For, which a client cannot forge here.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "lessons/services/run_until_signal.h"

using namespace weft;

namespace {

std::string lower(std::string_view text) {
  std::string s(text);
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return s;
}

// The fields that do not pass: the ones below, and the ones that the Connection field names.
class hop_by_hop {
 public:
  explicit hop_by_hop(const auto& headers) {
    for (const auto& [name, value] : headers)
      if (lower(name) == "connection") add_list(lower(value));
  }
  bool has(std::string_view name) const { return std::find(names_.begin(), names_.end(), lower(name)) != names_.end(); }

 private:
  void add_list(std::string list) {
    std::erase_if(list, [](char c) { return c == ' ' || c == '\t'; });
    for (std::size_t at = 0; at < list.size(); at = std::min(list.size(), list.find(',', at)) + 1)
      names_.push_back(list.substr(at, list.find(',', at) - at));
  }
  std::vector<std::string> names_{"connection", "proxy-connection",
                                  "keep-alive", "proxy-authenticate",
                                  "te",         "transfer-encoding",
                                  "trailer",    "proxy-authorization",
                                  "upgrade",    "expect"};
};

http::client_request passed_on(const std::string& backend, const http::request& r) {
  const std::size_t query = std::min(r.target().find('?'), r.target().size());
  http::client_request to{.method = std::string(r.method()),
                          .url = backend + std::string(r.raw_path()) + std::string(r.target().substr(query))};
  const hop_by_hop stays(r.headers());
  for (const auto& [name, value] : r.headers()) {
    const std::string known = lower(name);
    if (stays.has(name) || known == "host" || known == "content-length" || known == "user-agent" ||
        known == "forwarded" || known.starts_with("x-forwarded-"))
      continue;
    to.headers.emplace_back(name, value);
  }
  to.headers.emplace_back("X-Forwarded-For", r.remote_addr().host());
  to.headers.emplace_back("X-Forwarded-Host", r.host());
  to.headers.emplace_back("X-Forwarded-Proto", r.tls() ? "https" : "http");
  to.headers.emplace_back("User-Agent", r.header("User-Agent"));  // empty: none, instead of the client's own
  to.body_size = r.content_length();
  if (to.body_size != 0)
    to.body_parts = [&r](std::span<std::byte> part) -> result<std::size_t> {
      const auto got = r.read(part);
      return got.err == errc::eof ? result<std::size_t>{0, {}} : got;
    };
  return to;
}

// `flushes`: the client must not wait for the rest. So it is if the client still sends, since the
// backend may have answered early.
void pass_back(http::response_writer& w, http::response_stream& answer, bool flushes) {
  w.status(answer.status());
  const hop_by_hop stays(answer.headers());
  for (const auto& [name, value] : answer.headers())
    if (!stays.has(name)) w.add_header(name, value);
  flushes = flushes || answer.header("Content-Length").empty();  // events, for example
  std::array<std::byte, 16 << 10> part;
  for (;;) {
    const auto [n, err] = answer.read(part);
    if (err == errc::eof) return;
    if (err) throw std::runtime_error("the backend's answer: " + err.message());  // ends the connection
    if (w.write(std::string_view(reinterpret_cast<const char*>(part.data()), n))) return;
    if (flushes && w.flush()) return;
  }
}

http::handler reverse_proxy(std::string backend) {
  http::client_limits l;
  l.max_redirects = 0;  // a redirect is the client's to follow
  http::client c;
  c.set_limits(l).set_compression(false).set_proxy("");
  return [=](http::response_writer& w, const http::request& r) {
    if (!r.raw_path().starts_with('/')) return http::error(w, 501, "not for this server");  // CONNECT, OPTIONS *
    const context& while_wanted = r.ctx();
    auto [answer, err] = c.open(while_wanted, passed_on(backend, r));
    if (!err) return pass_back(w, answer, r.content_length() != 0);
    http::error(w, err == errc::timeout ? 504 : 502, "the backend does not answer");
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: reverse_proxy BACKEND [ADDRESS]\n");
    return 2;
  }
  return run([&] { return services::run_until_signal(argc > 2 ? argv[2] : "127.0.0.1:8080", reverse_proxy(argv[1])); });
}
