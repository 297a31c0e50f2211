// What leaves a server: framing and fields, whatever its handler does.
#include "tests/net/plain_server.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string answer_of(http::handler h, const std::string& request = get) {
  plain_server s(std::move(h));
  return answer_to(s.place(), request);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("no byte beyond the handler's Content-Length goes out", "[http][answer]") {
  on_each_poller([] {
    const std::string got = answer_of(
        [](auto& w, const auto&) {
          w.set_header("Content-Length", "3");
          FACT(w.write("abcd") == std::errc::message_size);
          FACT(!w.write("ab"));
          FACT(w.write("cd") == std::errc::message_size);
          FACT(!w.write("c"));
          FACT(w.bytes_written() == 3);
        },
        get + get);
    FACT(count(got, "Content-Length: 3\r\n") == 2);
    FACT(count(got, "\r\n\r\nabc") == 2);
    FACT(count(got, "d\r\n") == 0);
  });
}

TEST_CASE("a body shorter than its Content-Length ends the connection", "[http][answer]") {
  on_each_poller([] {
    const std::string got = answer_of(
        [](auto& w, const auto&) {
          w.set_header("Content-Length", "10");
          (void)w.write("abc");
        },
        get + get);
    FACT(count(got, "HTTP/1.1 ") == 1);
    FACT(got.ends_with("\r\n\r\nabc"));
  });
}

TEST_CASE("a Content-Length below what has been written is a panic", "[http][answer]") {
  on_each_poller([] {
    const auto writes_and_says = [](const char* length) {
      return [length](auto& w, const auto&) {
        FACT(!w.write("hello"));
        w.set_header("Content-Length", length);
      };
    };
    const std::string less = answer_of(writes_and_says("3"), get + get),
                      same = answer_of(writes_and_says("5"), get + get);
    FACT(less.starts_with("HTTP/1.1 500 "));
    FACT(!contains(less, "hello") && !contains(less, "\r\n\r\nhel"));
    FACT(count(same, "Content-Length: 5\r\n") == 2);
    FACT(count(same, "\r\n\r\nhello") == 2);
  });
}

TEST_CASE("the framing is the server's", "[http][answer]") {
  on_each_poller([] {
    const std::string got = answer_of([](auto& w, const auto&) {
      w.set_header("Transfer-Encoding", "gzip").add_header("transfer-encoding", "chunked");
      (void)w.write("abc");
    });
    FACT(!contains(got, "ransfer-"));
    FACT(contains(got, "Content-Length: 3\r\n"));
    for (const char* bad : {"", "x", "-1", "+1", "1 2", "99999999999999999999"})
      FACT(answer_of([bad](auto& w, const auto&) { w.set_header("Content-Length", bad); }).starts_with("HTTP/1.1 500"));
    const std::string none = answer_of([](auto& w, const auto&) {
      w.status(204).set_header("Content-Length", "3");
      (void)w.write("abc");
    });
    FACT(!contains(none, "Content-Length"));
    FACT(none.ends_with("\r\n\r\n"));
  });
}

TEST_CASE("set_header replaces and add_header adds", "[http][answer]") {
  on_each_poller([] {
    const std::string got = answer_of([](auto& w, const auto&) {
      w.set_header("X-A", "1").set_header("x-a", "2").add_header("X-B", "3").add_header("X-B", " 4 ");
      w.set_header("Content-Type", "a/b").set_header("content-type", "text/html");
      FACT(w.header("X-A") == "2");
    });
    FACT(!contains(got, "X-A: 1"));
    FACT(contains(got, "x-a: 2\r\nX-B: 3\r\nX-B: 4\r\n"));
    FACT(count(got, "text/html") == 1);
    FACT(!contains(got, "a/b"));
  });
}

TEST_CASE("a malformed header never goes out", "[http][answer]") {
  on_each_poller([] {
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"X A", "1"},
                                                                                      {"", "1"},
                                                                                      {"X\r\nY", "1"},
                                                                                      {"X:", "1"},
                                                                                      {"X(", "1"},
                                                                                      {"X", "1\r\nY: 2"},
                                                                                      {"X", "1\n2"},
                                                                                      {"X", std::string("1\0", 2)},
                                                                                      {"X", "\x01"}}) {
      const std::string got = answer_of([&](auto& w, const auto&) { w.set_header(name, value); });
      FACT(got.starts_with("HTTP/1.1 500"));
      FACT(!contains(got, "Y: 2"));
    }
  });
}

TEST_CASE("a Location is a URI, whatever it is made of", "[http][answer]") {
  on_each_poller([] {
    const std::string got = answer_of([](auto& w, const auto& r) { http::redirect(w, "/x?to=" + r.query("to"), 302); },
                                      "GET /?to=a%0d%0aSet-Cookie:%20b%20%c3%a4 HTTP/1.1\r\nHost: a\r\n\r\n");
    FACT(contains(got, "Location: /x?to=a%0D%0ASet-Cookie:%20b%20%C3%A4\r\n"));
    FACT(!contains(got, "\nSet-Cookie"));
  });
}

TEST_CASE("a status below 200 is not the final answer", "[http][answer]") {
  on_each_poller([] {
    const http::handler hints = [](auto& w, const auto&) {
      w.set_header("Link", "</a>").status(103);
      FACT(w.status() == 200);
      (void)w.write("x");
    };
    const std::string got = answer_of(hints);
    FACT(got.starts_with("HTTP/1.1 103 "));
    FACT(contains(got, "\r\n\r\nHTTP/1.1 200 OK\r\n"));
    FACT(answer_of(hints, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
    FACT(answer_of([](auto& w, const auto&) { w.status(101); }).starts_with("HTTP/1.1 500 "));
  });
}

TEST_CASE("a wrapper sees the status and the bytes that were written", "[http][answer]") {
  on_each_poller([] {
    const http::handler inner = [](auto& w, const auto&) {
      w.status(201);
      (void)w.write("hello");
      (void)w.write(std::string(10'000, 'x'));
    };
    answer_of([&](auto& w, const auto& r) {
      FACT(!w.head_sent());
      inner(w, r);
      FACT(w.status() == 201);
      FACT(w.bytes_written() == 10'005);
      FACT(w.head_sent());
    });
  });
}

TEST_CASE("a handler sees all headers, values and cookies", "[http][answer]") {
  on_each_poller([] {
    answer_of(
        [](auto&, const auto& r) {
          FACT(r.header_values("x-a") == std::vector<std::string_view>{"1", "2"});
          FACT(r.headers().size() == 5);
          FACT(r.headers()[1].name == "X-A");
          FACT(r.cookie("b") == "2");
          FACT(r.cookie("none").empty());
          FACT(r.cookies() == http::value_list{{"a", "1"}, {"b", "2"}, {"c", "q r"}});
          FACT(r.query_values() == http::value_list{{"x", "1"}, {"x", "2 3"}, {"y", ""}});
          FACT(r.raw_path() == "/a%2Fb");
          FACT(r.host() == "a");
          FACT(r.version() == 11);
          FACT(!r.tls());
        },
        "GET /a%2Fb?x=1&x=2+3&&y HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=1; b=2\r\nCookie: "
        "c=\"q r\"\r\n\r\n");
    answer_of(
        [](auto&, const auto& r) {
          FACT(r.form("x") == "body");
          FACT(r.form("q") == "query");
          FACT(r.form_values() == http::value_list{{"x", "body"}, {"y", "+ "}});
        },
        "POST /?x=query&q=query HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded; "
        "charset=utf-8\r\nContent-Length: 13\r\n\r\nx=body&y=%2b+");
    const std::string got = answer_of([](auto& w, const auto&) {
      w.set_cookie({.name = "a",
                    .value = "1",
                    .path = "/",
                    .max_age = 60,
                    .secure = true,
                    .http_only = true,
                    .same_site = "Lax"});
      w.set_cookie({.name = "b", .value = "2"});
    });
    FACT(contains(got, "Set-Cookie: a=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax\r\nSet-Cookie: b=2\r\n"));
    for (const char* bad : {"a b", "a;b", "a\r\nb", "a,b", "a\"b"})
      FACT(answer_of([bad](auto& w, const auto&) {
             w.set_cookie({.name = "a", .value = bad});
           }).starts_with("HTTP/1.1 500"));
  });
}

TEST_CASE("a hijacked connection is its handler's", "[http][answer]") {
  on_each_poller([] {
    const hang_guard guard("hijack");
    auto taken = make_chan<net::conn>(1);
    plain_server s([&](auto& w, const auto&) {
      auto [h, err] = w.hijack();
      FACT(!err);
      FACT(h.rest == "rest");
      FACT(w.write("x") == errc::closed);
      FACT(w.hijack().err == errc::closed);
      taken.send(h.conn);
    });
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write(get + "rest").err);
    const net::conn kept = *taken.recv();
    FACT(!s.server.shutdown(background()));  // it does not wait for the connection
    FACT(!kept.write("raw").err);
    FACT(read_up_to(c, 3) == "raw");
    (void)kept.close();
  });
}

TEST_CASE("an upgrade needs a client that asks for it", "[http][answer]") {
  on_each_poller([] {
    const hang_guard guard("upgrade");
    const http::handler h = [](auto& w, const auto&) {
      w.set_header("X-A", "1");
      auto [up, err] = w.upgrade("echo");
      if (err) return http::error(w, 426, "Upgrade Required");
      FACT(w.status() == 101);
      (void)up.conn.write(up.rest);
      (void)up.conn.close();
    };
    const std::string got =
        answer_of(h, "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nsaid");
    FACT(got.starts_with("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: 1\r\n\r\n"));
    FACT(got.ends_with("\r\n\r\nsaid"));
    FACT(answer_of(h).starts_with("HTTP/1.1 426 "));
    FACT(answer_of(h, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n").starts_with("HTTP/1.1 426 "));
  });
}

// The fiber that watches a connection for its end would read what is the handler's now.
TEST_CASE("the context of a request survives an upgrade and takes no byte of the connection", "[http][answer]") {
  on_each_poller([] {
    const hang_guard guard("context and upgrade");
    for (const bool early : {true, false}) {
      plain_server s([early](auto& w, const auto& r) {
        if (early) FACT(!r.ctx().err());
        auto [up, err] = w.upgrade("echo");
        FACT(!err);
        FACT(!r.ctx().err());
        sleep(1ms);
        std::byte buf[4];
        const auto [n, failed] = up.conn.read(r.ctx(), buf);
        FACT(!failed);
        FACT(!up.conn.write(std::span<const std::byte>(buf).first(n)).err);
        (void)up.conn.close();
      });
      auto c = net::dial("tcp", s.place()).unwrap();
      FACT(!c.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").err);
      const std::string head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
      FACT(read_up_to(c, head.size()) == head);
      sleep(2ms);
      FACT(!c.write("ping").err);
      FACT(read_up_to(c, 5) == "ping");
    }
  });
}

TEST_CASE("a client that reads slowly gets an answer of any size", "[http][answer]") {
  in_world(2, [] {
    const hang_guard guard("a slow reader");
    http::limits l;
    l.write_time = 1s;  // for each part
    constexpr std::size_t size = 24 << 20;
    plain_server s([](auto& w, const auto&) { (void)w.write(std::string(size, 'x')); }, l);
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write("GET / HTTP/1.0\r\n\r\n").err);
    std::vector<std::byte> part(64 << 10);
    std::size_t got = 0;
    while (const auto n = c.read(part).value) {
      got += n;
      sleep(5ms);
    }
    FACT(got > size);
  });
  report_broken_fact();
}

TEST_CASE("a handler reads back the headers that it has set, those of the framing too", "[http][answer]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto&) {
      FACT(w.header("Content-Length").empty());
      w.set_header("content-length", "2").set_header("Connection", "close");
      FACT(w.header("Content-Length") == "2" && w.header("connection") == "close");
      w.remove_header("Content-Length");
      FACT(w.header("Content-Length").empty());
    });
    FACT(answer_to(s.place(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 "));
  });
  CHECK(http::status_text(103) == "Early Hints");
  CHECK(http::status_text(418) == "I'm a teapot");
  CHECK(http::status_text(425) == "Too Early");
}

TEST_CASE("cookies are pairs with a token for a name, and not too many", "[http][answer]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) {
      std::string all;
      const auto cookies = r.cookies();
      if (cookies.size() < 10)
        for (const auto& [name, value] : cookies) all += name + "=" + value + " ";
      (void)w.write(std::to_string(cookies.size()) + ":" + all);
    });
    const auto cookies = [&](const std::string& text) {
      const std::string a = answer_to(s.place(), "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + text + "\r\n\r\n");
      return a.substr(std::min(a.find("\r\n\r\n") + 4, a.size()));
    };
    FACT(cookies("a=1; b c=2; =3; d; e=\"4\"; f=5") == "4:a=1 d= e=4 f=5 ");
    std::string many = "a=1";
    for (int i = 1; i < 3000; ++i) many += ";a=1";
    FACT(cookies(many).starts_with("3000:"));
    FACT(cookies(many + ";a=1") == "0:");
  });
}
