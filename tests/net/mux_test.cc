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
    FACT(s.get("/a/q%2fx/c") == "below a" || s.get("/a/q%2fx/c") == "x=q/x");
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
    FACT(wrong.header("Allow") == "DELETE, GET");
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
