// Proxies and cookies.
#include "net/http/proxy.h"
#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;
using http::detail::encode;
using http::detail::http_url_of;
using http::detail::proxies;
using http::detail::split_uri;

namespace {

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

using environment = std::vector<std::pair<std::string, std::string>>;

proxies proxies_of(const environment& all) {
  return proxies::from_environment([&](const char* name) {
    for (const auto& [key, value] : all)
      if (key == name) return value;
    return std::string();
  });
}

auto url_of(std::string_view text) { return http_url_of(split_uri(text), encode::non_ascii).unwrap(); }

// The proxy's place, or "".
std::string proxy_for(const environment& all, std::string_view url) {
  const proxies p = proxies_of(all);
  const auto* const found = p.for_url(url_of(url));
  return found ? found->place() : "";
}

}  // namespace

TEST_CASE("the environment says which proxy a URL has", "[http]") {
  const environment both = {{"HTTP_PROXY", "http://p:1"}, {"https_proxy", "q:2"}};
  CHECK(proxy_for(both, "http://example.org/") == "p:1");
  CHECK(proxy_for(both, "https://example.org/") == "q:2");
  for (const char* url : {"http://localhost/", "http://127.0.0.9:8080/", "http://[::1]/"})
    CHECK(proxy_for(both, url).empty());
  CHECK(proxy_for({{"HTTP_PROXY", "p:1"}, {"REQUEST_METHOD", "GET"}}, "http://x/").empty());
  CHECK(proxy_for({{"http_proxy", "p:1"}, {"REQUEST_METHOD", "GET"}}, "http://x/") == "p:1");
  for (const char* unusable : {"://", "https://p:1", "http://p:x", "socks5://p:1"})
    CHECK(proxy_for({{"HTTP_PROXY", unusable}}, "http://x/").empty());
  const auto fails = [](const environment& e, const char* url) { return proxies_of(e).fails(url_of(url)); };
  CHECK(fails({{"HTTP_PROXY", "socks5://p:1"}}, "http://x/"));
  CHECK(fails({{"https_proxy", "HTTPS://p:1"}}, "https://x/"));
  CHECK(!fails({{"HTTP_PROXY", "socks5://p:1"}}, "https://x/"));
  CHECK(!fails({{"HTTP_PROXY", "socks5://p:1"}}, "http://localhost/"));
  CHECK(!fails({{"HTTP_PROXY", "socks5://p:1"}, {"NO_PROXY", "x"}}, "http://x/"));
  CHECK(!fails({{"HTTP_PROXY", "://"}}, "http://x/"));
  const auto excepted = [](const char* list, const char* url) {
    return proxy_for({{"HTTP_PROXY", "p:1"}, {"NO_PROXY", list}}, url).empty();
  };
  CHECK(excepted("*", "http://x/"));
  CHECK(excepted("a, example.org ,b", "http://example.org/"));
  CHECK(excepted("example.org", "http://www.Example.org/"));
  CHECK(!excepted("example.org", "http://notexample.org/"));
  CHECK(!excepted(".example.org", "http://example.org/"));
  CHECK(excepted(".example.org", "http://www.example.org/"));
  CHECK(excepted("*.example.org", "http://www.example.org/"));
  CHECK(excepted("example.org:81", "http://example.org:81/"));
  CHECK(!excepted("example.org:81", "http://example.org/"));
  CHECK(excepted("10.0.0.0/8", "http://10.1.2.3/"));
  CHECK(!excepted("10.0.0.0/8", "http://11.1.2.3/"));
  CHECK(excepted("fd00::/8", "http://[fd12::1]/"));
  CHECK(excepted("10.1.2.3", "http://10.1.2.3/"));
  CHECK(excepted("[fd12::1]:80", "http://[fd12::1]/"));
  CHECK(!excepted("", "http://x/"));
}

TEST_CASE("a request goes through a proxy in absolute form, with the proxy's credentials", "[http]") {
  in_world(2, [] {
    std::string seen;
    scripted_server proxy([&](const net::conn& c, int) {
      while (!(seen = read_request(c)).empty())
        if (c.write(ok("by proxy")).err) return;
    });
    http::client c;
    c.set_proxy("http://user:pw@" + proxy.place());
    FACT(c.get(background(), "http://example.org/a?b").value.body == "by proxy");
    FACT(seen.starts_with("GET http://example.org/a?b HTTP/1.1\r\nHost: example.org\r\n"));
    FACT(has(seen, "Proxy-Authorization: Basic dXNlcjpwdw==\r\n"));
    FACT(c.get(background(), "http://other.example/").value.body == "by proxy");
    FACT(proxy.connections == 1);
    c.close_idle();
    FACT(proxy.connections == 1);
  });
  report_broken_fact();
  CHECK_THROWS_AS(http::client().set_proxy("nonsense://"), panic);
}

TEST_CASE("a proxy that refuses a tunnel or sends into it is an error", "[http]") {
  in_world(2, [] {
    const auto error_after = [](std::string answer) {
      std::string seen;
      scripted_server proxy([&](const net::conn& c, int) {
        seen = read_request(c);
        (void)c.write(answer);
        (void)read_request(c);
      });
      http::client c;
      c.set_proxy(proxy.url());
      const std::error_code e = c.send(background(), "GET", "https://example.org/", {{"Authorization", "x"}}, "").err;
      proxy.stop();
      FACT(seen.starts_with("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"));
      FACT(!has(seen, "Authorization"));
      return e;
    };
    FACT(error_after("HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n") == std::errc::connection_refused);
    FACT(error_after("HTTP/1.1 200 OK\r\n\r\nsurprise") == std::errc::bad_message);
    FACT(error_after("nonsense\r\n\r\n") == std::errc::bad_message);
    FACT(error_after("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')) == std::errc::message_size);
  });
  report_broken_fact();
}

TEST_CASE("a jar gives back what a host has set, to this host alone", "[http]") {
  http::cookie_jar j;
  const std::string at = "https://www.example.org/a/b";
  j.set(at, "one=1; Secure; HttpOnly");
  j.set(at, "two=2; Path=/; Domain=example.org");
  j.set(at, "three=3; path=/a/b/c");
  CHECK(j.get(at) == "one=1; two=2");
  CHECK(j.get("https://www.example.org/a/b/c/d") == "three=3; one=1; two=2");
  CHECK(j.get("https://www.example.org/ab") == "two=2");
  CHECK(j.get("http://www.example.org/a/") == "two=2");
  for (const char* other :
       {"https://example.org/a/", "https://x.www.example.org/a/", "https://www.example.org.evil/a/"})
    CHECK(j.get(other).empty());
  j.set(at, "two=; Path=/; Max-Age=0");
  CHECK(j.get(at) == "one=1");
  j.set("http://www.example.org/a/b", "one=forged; Path=/a");  // plain HTTP does not replace it
  CHECK(j.get(at) == "one=1");
}

TEST_CASE("cookies that are malformed, foreign or over are not kept", "[http]") {
  http::cookie_jar j;
  const std::string at = "http://example.org/";
  for (const std::string& bad :
       {std::string("nothing"), std::string("=x"), std::string("a b=x"), std::string("a=\x01"),
        std::string("a=x; Secure"), std::string("a=x; Domain=evil.example"), std::string("a=x; Domain=ple.org"),
        std::string("__Host-a=x"), std::string("__Secure-a=x"), std::string("a=x; Max-Age=-5"),
        "a=" + std::string(5000, 'x'), std::string("a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        std::string("a=x; Expires=Sunday, 06-Nov-94 08:49:37 GMT")}) {
    j.set(at, bad);
    CHECK(j.get(at).empty());
  }
  j.set(at, "a=x; Expires=Wed, 09 Jun 2199 10:18:14 GMT; Max-Age=99999999999999999999");
  j.set(at, "b=y; Expires=nonsense");
  CHECK(j.get(at) == "a=x; b=y");
  for (int i = 0; i < 200; ++i) j.set(at, "n" + std::to_string(i) + "=v");
  const std::string all = j.get(at);
  CHECK(std::count(all.begin(), all.end(), '=') == 50);
}

TEST_CASE("a client with a jar sends cookies on, also after a redirect, and not to other places", "[http]") {
  in_world(2, [] {
    std::string seen;
    scripted_server other(
        [&](const net::conn& c, int) {
          seen += read_request(c);
          (void)c.write(ok("x"));
        },
        "127.0.0.2");
    scripted_server s([&](const net::conn& c, int number) {
      seen = read_request(c);
      if (number == 0)
        (void)c.write(
            "HTTP/1.1 302 F\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: "
            "close\r\n\r\n");
      else if (number == 1) (void)c.write(ok("x", "Connection: close\r\n"));
      else (void)c.write("HTTP/1.1 302 F\r\nLocation: " + other.url() + "\r\nContent-Length: 0\r\n\r\n");
    });
    http::client c;
    c.set_cookies({});
    FACT(c.send(background(), "GET", s.url(), {{"Cookie", "own=0"}}, "").value.body == "x");
    FACT(has(seen, "Cookie: own=0; a=1; b=2\r\n"));
    FACT(c.get(background(), s.url()).value.body == "x");
    FACT(has(seen, "Cookie: a=1; b=2\r\n"));
    FACT(seen.find("Cookie") == seen.rfind("Cookie"));
    c.close_idle();
  });
  report_broken_fact();
}
