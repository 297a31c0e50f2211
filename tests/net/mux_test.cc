#include <weft/http.h>

#include "tests/net/on_each_poller.h"

using namespace weft;
using namespace weft::testing;

namespace {

// What a mux answers to a request, without a network between.
struct asked {
  http::server server;
  net::listener l = net::listen("tcp", "127.0.0.1:0").unwrap();
  wait_group fiber;
  http::client client;

  explicit asked(http::mux m) : server("", std::move(m)) {
    fiber.go([this] { (void)server.serve(l); });
  }
  ~asked() {
    (void)server.close();
    fiber.wait();
  }
  http::response send(std::string_view method, std::string_view path, std::string_view host = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    (void)host;
    return client.send(background(), method, "http://" + l.addr().to_string() + std::string(path), headers, {}).value;
  }
  std::string get(std::string_view path) { return send("GET", path).body; }
};

http::handler says(std::string text) {
  return [text](auto& w, const auto&) { (void)w.write(text); };
}

}  // namespace

TEST_CASE("the more particular pattern wins", "[http][mux]") {
  on_each_poller([] {
    http::mux m;
    m.handle("/", says("all")).handle("/a/", says("below a")).handle("/a/b", says("a b"));
    m.handle("/a/{x}/c", [](auto& w, const auto& r) { (void)w.write("x=" + r.path_value("x")); });
    m.handle("/a/b/c", says("a b c")).handle("/end/{$}", says("end"));
    m.handle("/files/{path...}", [](auto& w, const auto& r) { (void)w.write("path=" + r.path_value("path")); });
    m.handle("POST /a/b", says("posted"));
    asked s(m);
    FACT(s.get("/") == "all");
    FACT(s.get("/zzz") == "all");
    FACT(s.get("/a/") == "below a");
    FACT(s.get("/a/q/r") == "below a");
    FACT(s.get("/a/b") == "a b");
    FACT(s.send("POST", "/a/b").body == "posted");
    FACT(s.get("/a/q%2fx/c") == "x=q/x");
    FACT(s.get("/a/q/c") == "x=q");
    FACT(s.get("/a/b/c") == "a b c");
    FACT(s.get("/end/") == "end");
    FACT(s.get("/end/x") == "all");
    FACT(s.get("/files/one/two") == "path=one/two");
    FACT(s.get("/files/") == "path=");
    FACT(s.get("/a") == "below a");  // by way of a redirect
  });
}

TEST_CASE("what no pattern takes is 404, and 405 where another method would do", "[http][mux]") {
  on_each_poller([] {
    http::mux m;
    m.handle("GET /x", says("x")).handle("DELETE /x", says("gone"));
    asked s(m);
    FACT(s.send("GET", "/y").status == 404);
    const auto wrong = s.send("PUT", "/x");
    FACT(wrong.status == 405);
    FACT(wrong.header("Allow") == "DELETE, GET, HEAD");
    FACT(s.send("HEAD", "/x").status == 200);
    FACT(s.send("DELETE", "/x").body == "gone");
  });
}

TEST_CASE("patterns that are none, or are there already, are a misuse", "[http][mux]") {
  http::mux m;
  m.handle("GET /x/{a}", says(""));
  CHECK_THROWS_AS(m.handle("GET /x/{b}", says("")), panic);
  CHECK_THROWS_AS(m.handle("x", says("")), panic);
  CHECK_THROWS_AS(m.handle("/a{b}", says("")), panic);
  CHECK_THROWS_AS(m.handle("/{$}/x", says("")), panic);
  CHECK_THROWS_AS(m.handle("/{a...}/x", says("")), panic);
  CHECK_THROWS_AS(m.handle("/{}", says("")), panic);
}

namespace {

// The answer to one request, without a client that follows redirects.
std::string raw(asked& s, const std::string& line, const std::string& host = "h") {
  auto c = net::dial("tcp", s.l.addr().to_string()).unwrap();
  FACT(!c.write(line + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").err);
  return read_up_to(c, 1 << 16);
}

std::string location(const std::string& answer) {
  const auto at = answer.find("Location: ");
  return at == std::string::npos ? std::string() : answer.substr(at + 10, answer.find('\r', at) - at - 10);
}

}  // namespace

TEST_CASE("a path is cleaned by a redirect before it matches", "[http][mux]") {
  on_each_poller([] {
    http::mux m;
    m.handle("/files/{path...}", [](auto& w, const auto& r) { (void)w.write("path=" + r.path_value("path")); });
    m.handle("/x/{id}", [](auto& w, const auto& r) { (void)w.write("id=" + r.path_value("id")); });
    asked s(m);
    for (const auto& [asked_for, to] :
         std::vector<std::pair<std::string, std::string>>{{"/files/../../etc/passwd", "/etc/passwd"},
                                                          {"/files//a", "/files/a"},
                                                          {"/files/./a/", "/files/a/"},
                                                          {"/files/%2e%2e/%2E/etc", "/etc"},
                                                          {"/files/a/..?q=/../", "/files?q=/../"},
                                                          {"//evil.org/..", "/"},
                                                          {"//evil.org", "/evil.org"},
                                                          {"/..", "/"},
                                                          {"/x/.%2e/y", "/y"}}) {
      const std::string got = raw(s, "GET " + asked_for);
      FACT(got.starts_with("HTTP/1.1 307 "));
      FACT(location(got) == (to == "/files?q=/../" ? "/files/?q=/../" : to));
    }
    FACT(raw(s, "GET /files/..%2f..%2fetc").ends_with("path=../../etc"));  // one segment: for fs::join_inside to refuse
    FACT(raw(s, "GET /x/a%2Fb").ends_with("id=a/b"));
    FACT(raw(s, "GET /x/a/b").starts_with("HTTP/1.1 404 "));
    FACT(raw(s, "GET /x/%2561").ends_with("id=%61"));
  });
}

TEST_CASE("hosts have no case, Allow has HEAD, and a slash is added by a redirect", "[http][mux]") {
  on_each_poller([] {
    http::mux m;
    m.handle("GET Example.org/a", says("of a host")).handle("GET /a", says("of any"));
    m.handle("POST /below/", says("below")).handle("/tree/{$}", says("tree"));
    asked s(m);
    FACT(raw(s, "GET /a", "EXAMPLE.ORG:80").ends_with("of a host"));
    FACT(raw(s, "GET /a", "other").ends_with("of any"));
    FACT(raw(s, "PUT /a").find("Allow: GET, HEAD\r\n") != std::string::npos);
    FACT(raw(s, "GET /below").starts_with("HTTP/1.1 405 "));
    FACT(raw(s, "GET /below").find("Allow: POST\r\n") != std::string::npos);
    FACT(location(raw(s, "POST /below?x=1")) == "/below/?x=1");
    FACT(location(raw(s, "GET /tree")) == "/tree/");
    FACT(raw(s, "OPTIONS *").starts_with("HTTP/1.1 200 "));
    FACT(raw(s, "CONNECT h:1").starts_with("HTTP/1.1 404 "));
    for (const char* post : {"POST /below", "POST //below/"}) FACT(raw(s, post).starts_with("HTTP/1.1 307 "));
  });
}

TEST_CASE("patterns of which neither is more specific conflict, as in Go", "[http][mux]") {
  const auto conflict = [](std::string_view a, std::string_view b) {
    http::mux m;
    m.handle(a, says(""));
    try {
      m.handle(b, says(""));
    } catch (const panic&) {
      return true;
    }
    return false;
  };
  for (const auto& [a, b] : std::vector<std::pair<const char*, const char*>>{{"/posts/{id}", "/{resource}/latest"},
                                                                             {"GET /", "/a"},
                                                                             {"/a/{x}", "/a/{y}"},
                                                                             {"/a/", "/a/{rest...}"},
                                                                             {"GET /a/{x...}", "/a/b"},
                                                                             {"/{x}/b/", "/a/{y...}"},
                                                                             {"h/{x}/b", "H/a/{y}"}}) {
    CAPTURE(a, b);
    CHECK(conflict(a, b));
    CHECK(conflict(b, a));
  }
  for (const auto& [a, b] : std::vector<std::pair<const char*, const char*>>{{"/posts/{id}", "/posts/latest"},
                                                                             {"GET /a", "POST /a"},
                                                                             {"GET /a", "HEAD /a"},
                                                                             {"GET /a", "/a"},
                                                                             {"/a/{$}", "/a/"},
                                                                             {"/a/{x}", "/a/{$}"},
                                                                             {"h/{x}/b", "/a/{y}"},
                                                                             {"/a/b", "/a/{x...}"},
                                                                             {"/a", "/a/"}}) {
    CAPTURE(a, b);
    CHECK_FALSE(conflict(a, b));
    CHECK_FALSE(conflict(b, a));
  }
  http::mux m;
  CHECK_THROWS_AS(m.handle("/a/{x}/{x}", says("")), panic);
  CHECK_THROWS_AS(m.handle("GET /a//b", says("")), panic);
  CHECK_THROWS_AS(m.handle("GET /a/../b", says("")), panic);
  CHECK_THROWS_AS(m.handle("G(T /a", says("")), panic);
}

TEST_CASE("a CONNECT to a host and a port matches no pattern", "[http][mux]") {
  on_each_poller([] {
    for (const char* all : {"/", "/{rest...}", "/{$}"}) {
      http::mux m;
      m.handle(all, [](auto& w, const auto&) { (void)w.write("caught"); });
      asked s(m);
      FACT(raw(s, "CONNECT h:1").starts_with("HTTP/1.1 404 "));
    }
  });
}

TEST_CASE("a wildcard has the name of a variable, and a pattern without a method any path", "[http][mux]") {
  http::mux m;
  const auto nothing = [](auto&, const auto&) {};
  for (const char* bad : {"/{a-b}", "/{1}", "/{a b}", "/x{a}", "/{a}x", "GET /a//b", "GET /a/./b"})
    CHECK_THROWS_AS(m.handle(bad, nothing), panic);
  for (const char* good : {"/{_a1}", "/a}b", "/x//b", "/x/../b", "CONNECT /y//b"})
    CHECK_NOTHROW(m.handle(good, nothing));
}
