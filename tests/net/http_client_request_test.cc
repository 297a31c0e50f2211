// What a client sends: the caller's words are checked, and bodies may be streamed.
#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

// The request as the server sees it.
std::string seen_of(const http::client& c, http::client_request r, std::string_view before_host = "") {
  std::string seen;
  scripted_server s([&](const net::conn& conn, int) {
    seen = read_request(conn);
    (void)conn.write(ok("x", "Connection: close\r\n"));
  });
  r.url = "http://" + std::string(before_host) + s.place() + r.url;
  FACT(!c.send(background(), std::move(r)).err);
  s.stop();
  return seen;
}

std::error_code error_of(std::string_view method, std::string_view url, const http::header_list& headers,
                         std::string_view body = "") {
  return http::client().send(background(), method, url, headers, body).err;
}

}  // namespace

TEST_CASE("a method, a URL or a field that would forge a request is refused before anything is sent", "[http]") {
  in_world(2, [] {
    scripted_server s(always(ok("x")));
    const std::string url = s.url();
    for (const char* method :
         {"", "GET /admin HTTP/1.1\r\nHost: internal\r\n\r\nGET", "GE T", "G\tT", "CONNECT", "(x)"})
      FACT(error_of(method, url, {}) == std::errc::invalid_argument);
    for (const char* path : {" HTTP/1.1\r\nX: y", "a b", "a\nb", "a\rb", "a\tb", "%", "%4", "%0x"})
      FACT(error_of("GET", url + path, {}) == std::errc::invalid_argument);
    for (const char* name : {"", "A:", "A B", "A\r\nB", " A", "A ", "\x80", "A\tB"})
      FACT(error_of("GET", url, {{name, "x"}}) == std::errc::invalid_argument);
    for (const char* value : {"x\r\nY: z", "x\ny", "x\ry", "\x01", "x\x7f"})
      FACT(error_of("GET", url, {{"A", value}}) == std::errc::invalid_argument);
    FACT(error_of("GET", url, {{"A", std::string("x\0y", 3)}}) == std::errc::invalid_argument);
    FACT(error_of("POST", url, {{"Content-Length", "3"}}, "data") == std::errc::invalid_argument);
    FACT(error_of("POST", url, {{"Content-Length", "4"}, {"content-length", "4"}}, "data") ==
         std::errc::invalid_argument);
    FACT(error_of("POST", url, {{"Transfer-Encoding", "chunked"}}, "data") == std::errc::invalid_argument);
    FACT(error_of("GET", url, {{"Host", "a"}, {"host", "b"}}) == std::errc::invalid_argument);
    FACT(error_of("GET", url, {{"Host", "a b"}}) == std::errc::invalid_argument);
    FACT(error_of("TRACE", url, {}, "data") == std::errc::invalid_argument);
    FACT(s.connections == 0);
  });
  report_broken_fact();
}

TEST_CASE("the caller's Host, User-Agent and Content-Length replace those of the client", "[http]") {
  in_world(2, [] {
    const http::client c;
    const std::string own =
        seen_of(c, {.method = "POST",
                    .url = "/p?q",
                    .headers = {{"host", "example.org"}, {"USER-AGENT", "me/1"}, {"content-length", "4"}},
                    .body = "data"});
    FACT(own.starts_with("POST /p?q HTTP/1.1\r\nHost: example.org\r\n"));
    FACT(has(own, "USER-AGENT: me/1\r\n") && !has(own, "weft") && !has(own, "host:"));
    FACT(has(own, "Content-Length: 4\r\n") && !has(own, "content-length"));
    FACT(!has(seen_of(c, {.headers = {{"User-Agent", ""}}}), "ser-Agent"));
    const std::string plain = seen_of(c, {.url = "/a"});
    FACT(has(plain, "User-Agent: weft\r\n") && !has(plain, "Content-Length"));
    FACT(has(seen_of(c, {.method = "POST"}), "Content-Length: 0\r\n"));
  });
  report_broken_fact();
}

TEST_CASE("userinfo is sent as Basic authorization, unless the caller has set it", "[http]") {
  in_world(2, [] {
    const http::client c;
    FACT(has(seen_of(c, {}, "Aladdin:open%20sesame@"), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    FACT(has(seen_of(c, {}, "user@"), "Authorization: Basic dXNlcjo=\r\n"));
    const std::string both = seen_of(c, {.headers = {{"authorization", "Bearer x"}}}, "user@");
    FACT(has(both, "authorization: Bearer x\r\n") && !has(both, "Basic"));
  });
  report_broken_fact();
}

TEST_CASE("an answer that comes early is read while the body is being written", "[http]") {
  on_each_poller([] {
    const hang_guard guard("early answer");
    auto answered = make_chan<void>(2);
    scripted_server s([&](const net::conn& c, int) {
      std::byte some[1000];
      (void)c.read(some).err;
      (void)c.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch");
      answered.recv();  // and reads no more; a close before that may reset what it has sent
    });
    http::client c;
    const std::string large(8 << 20, 'x');
    for (int i = 0; i < 2; ++i) {
      const auto [got, err] = c.post(background(), s.url(), "text/x", large);
      FACT(!err && got.status == 413 && got.body == "much");
      answered.send();
    }
    FACT(s.connections == 2);
  });
}

TEST_CASE("a body is streamed in both directions at the same time", "[http]") {
  on_each_poller([] {
    const hang_guard guard("streams");
    scripted_server s([](const net::conn& c, int) {
      std::string text;
      std::byte some[1000];
      while (!has(text, "\r\n\r\n")) {
        const auto [n, err] = c.read(some);
        if (err) return;
        text.append(reinterpret_cast<const char*>(some), n);
      }
      FACT(has(text, "Transfer-Encoding: chunked\r\n"));
      text.erase(0, text.find("\r\n\r\n") + 4);
      (void)c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (!text.ends_with("0\r\n\r\n")) {  // an echo, in the form in which it comes
        if (!text.empty() && c.write(text).err) return;
        const auto [n, err] = c.read(some);
        if (err) return;
        text.assign(reinterpret_cast<const char*>(some), n);
      }
      (void)c.write(text);
      (void)read_request(c);
    });
    http::client c;
    auto parts = make_chan<std::string>();
    http::client_request r{.method = "POST", .url = s.url()};
    r.body_parts = [parts](std::span<std::byte> to) -> result<std::size_t> {
      const auto part = parts.recv();
      if (!part) return {0, {}};
      std::memcpy(to.data(), part->data(), part->size());
      return {part->size(), {}};
    };
    auto [answer, err] = c.open(background(), std::move(r));
    FACT(!err && answer.status() == 200);
    for (const char* part : {"one", "two", "three"}) {
      parts.send(part);
      std::string seen;
      std::byte some[100];
      while (seen.size() < std::strlen(part)) {
        const auto [n, e] = answer.read(some);
        FACT(!e);
        if (e) return;
        seen.append(reinterpret_cast<const char*>(some), n);
      }
      FACT(seen == part);
    }
    parts.close();
    std::byte some[100];
    FACT(answer.read(some).err == errc::eof);
    c.close_idle();
  });
}

TEST_CASE("a stream that is dropped closes its connection, and its reader's context ends it", "[http]") {
  on_each_poller([] {
    const hang_guard guard("dropped stream");
    auto ended = make_chan<void>(100);
    scripted_server s([&](const net::conn& c, int) {
      (void)read_request(c);
      (void)c.write("HTTP/1.1 200 OK\r\n\r\nabc");
      (void)read_request(c);
      ended.send();
    });
    const http::client c;
    {
      auto [answer, err] = c.open(background(), {.url = s.url()});
      FACT(!err);
    }
    ended.recv();
    for (auto time = 5ms;; time *= 2) {  // until it suffices for the head of an answer
      auto [ctx, cancel] = with_timeout(background(), time);
      auto [answer, err] = c.open(ctx, {.url = s.url()});
      if (err) {
        FACT(err == errc::deadline_exceeded);
        continue;
      }
      std::byte some[100];
      result<std::size_t> got;
      while (!(got = answer.read(some)).err) {
      }
      FACT(got.err == errc::deadline_exceeded);
      FACT(answer.read(some).err == errc::deadline_exceeded);
      break;
    }
    ended.recv();
  });
}

TEST_CASE("parts of a body that are more or fewer than promised are an error of the request", "[http]") {
  on_each_poller([] {
    const hang_guard guard("parts");
    scripted_server s(always(ok("x")));
    for (const std::uint64_t promised : {std::uint64_t(1), std::uint64_t(5)}) {
      bool given = false;
      http::client_request r{.method = "POST", .url = s.url(), .body_size = promised};
      r.body_parts = [&](std::span<std::byte> to) -> result<std::size_t> {
        if (std::exchange(given, true)) return {0, {}};
        std::memcpy(to.data(), "abc", 3);
        return {3, {}};
      };
      FACT(http::client().send(background(), std::move(r)).err == std::errc::invalid_argument);
    }
  });
}
