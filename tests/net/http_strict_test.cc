// What a server refuses, and what it makes of what it takes: RFC 9112, each row with its section.
#include <weft/mutex.h>

#include <mutex>

#include "tests/net/plain_server.h"

#include <fmt/format.h>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// The statuses of all answers: "200 400".
std::string statuses(const std::string& answers) {
  std::string all;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 ", at)) != std::string::npos; at += 9)
    all += (all.empty() ? "" : " ") + answers.substr(at + 9, 3);
  return all;
}

void same(std::string_view what, std::string_view got, std::string_view expected) {
  if (got != expected) fmt::print(stderr, "{}: got [{}], expected [{}]\n", what, got, expected);
  FACT(got == expected);
}

struct row {
  const char* what;
  std::string bytes;
  const char* statuses;
  const char* seen;  // by the handler, of each request: "METHOD path host body"
};

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n", post = "POST / HTTP/1.1\r\nHost: a\r\n",
                  chunked = post + "Transfer-Encoding: chunked\r\n\r\n", next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<row> rows() {
  return {
      // ---- 9112 3, 3.2: the request line and Host
      {"no Host in 1.1", "GET / HTTP/1.1\r\n\r\n", "400", ""},
      {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", "200", "GET /  "},
      {"two Hosts", get + "Host: b\r\n\r\n", "400", ""},
      {"two equal Hosts", get + "Host: a\r\n\r\n", "400", ""},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400", ""},
      {"Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400", ""},
      {"Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400", ""},
      {"Host with a port too large", "GET / HTTP/1.1\r\nHost: a:70000\r\n\r\n", "400", ""},
      {"Host with a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400", ""},
      {"malformed Host in 1.0", "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", "400", ""},
      {"Host of an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "200", "GET / [::1]:80 "},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "200", "GET /  "},
      {"absolute form", "GET http://b/p?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", "200", "GET /p b "},
      {"absolute form without a path", "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", "200", "GET / b "},
      {"absolute form with userinfo", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"absolute form of another scheme", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"absolute form without Host", "GET http://b/ HTTP/1.1\r\n\r\n", "400", ""},
      {"path without a slash", "GET foo HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"asterisk form of GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"asterisk form of OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "200", "OPTIONS * a "},
      {"authority form of GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"CONNECT with a path", "CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"bad percent in a path", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"bad percent in a query", "GET /?%4 HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"NUL in a path", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"non-ASCII byte in a path", "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"tab for a blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"blank at the line's end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400", ""},
      {"blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"HTTP/0.9", "GET /\r\n\r\n", "400", ""},
      {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", ""},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", "400", ""},
      {"empty lines first", "\r\n\r\n" + get + "\r\n", "200", "GET / a "},
      {"a TLS handshake", "\x16\x03\x01", "400", ""},
      // ---- 9112 2.2, 5: lines and fields
      {"lines that end in LF", "GET / HTTP/1.1\nHost: a\n\n", "400", ""},
      {"one line that ends in LF", get + "X: y\n\r\n", "400", ""},
      {"CR in a value", get + "X: b\rc\r\n\r\n", "400", ""},
      {"NUL in a value", get + std::string("X: b\0c\r\n\r\n", 9), "400", ""},
      {"blank before the colon", get + "X : y\r\n\r\n", "400", ""},
      {"no colon", get + "X\r\n\r\n", "400", ""},
      {"empty name", get + ": y\r\n\r\n", "400", ""},
      {"name that is no token", get + "X(y): z\r\n\r\n", "400", ""},
      {"folded line", get + "X: 1\r\n Content-Length: 30\r\n\r\n", "400", ""},
      {"folded line with an empty first part", get + "X:\r\n y\r\n\r\n", "400", ""},
      {"first field begins with a blank", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400", ""},
      {"folded Transfer-Encoding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400", ""},
      // ---- 9112 6: framing
      {"length and chunked", post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, "400",
       ""},
      {"chunked and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + next, "400",
       ""},
      {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", "400", ""},
      {"two equal lengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nxy", "400", ""},
      {"list of lengths", post + "Content-Length: 2, 2\r\n\r\nxy", "400", ""},
      {"length +2", post + "Content-Length: +2\r\n\r\nxy", "400", ""},
      {"length 0x2", post + "Content-Length: 0x2\r\n\r\nxy", "400", ""},
      {"empty length", post + "Content-Length:\r\n\r\nxy", "400", ""},
      {"length 2^64+2", post + "Content-Length: 18446744073709551618\r\n\r\nxy", "400", ""},
      {"length 2^63", post + "Content-Length: 9223372036854775808\r\n\r\nxy", "400", ""},
      {"coding xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n" + next, "501", ""},
      {"coding gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501", ""},
      {"coding chunked, identity", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "501", ""},
      {"coding chunked, chunked", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "501", ""},
      {"coding \"chunked\"", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "501", ""},
      {"coding chunked;x", post + "Transfer-Encoding: chunked;x\r\n\r\n0\r\n\r\n", "501", ""},
      {"coding identity", post + "Transfer-Encoding: identity\r\n\r\n", "501", ""},
      {"empty coding", post + "Transfer-Encoding:\r\n\r\n", "501", ""},
      {"two codings", post + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", ""},
      {"coding CHUNKED", post + "Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n", "200", "POST / a x"},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", ""},
      {"GET with a body", get + "Content-Length: 2\r\n\r\nxy" + next, "200 200", "GET / a xy|GET /next a "},
      // ---- 9112 7.1: chunks
      {"chunks", chunked + "3\r\nabc\r\nA;x=y;z=\"q\"\r\n0123456789\r\n0\r\n\r\n" + next, "200 200",
       "POST / a abc0123456789|GET /next a "},
      {"LF in a quoted extension", chunked + "2;a=\"\nx\"\r\n25\r\n0\r\n\r\n" + next, "400", ""},
      {"DEL in an extension", chunked + "2;a=\"\x7f\"\r\n25\r\n0\r\n\r\n" + next, "400", ""},
      {"tab in a quoted extension", chunked + "2;a=\"\t\"\r\n25\r\n0\r\n\r\n", "200", "POST / a 25"},
      {"chunk size 0x5", chunked + "0x5\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"blank before a chunk size", chunked + " 5\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"negative chunk size", chunked + "-5\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"chunk size above 2^64", chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"chunk size of 2^64-1", chunked + "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "413", ""},
      {"empty chunk size", chunked + "\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"chunk line that ends in LF", chunked + "5\nhello\r\n0\r\n\r\n", "400", ""},
      {"chunk data that ends in LF", chunked + "5\r\nhello\n0\r\n\r\n", "400", ""},
      {"chunk longer than its size", chunked + "3\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"CR in an extension", chunked + "5;a\rb\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"extension that is no token", chunked + "5;(\r\nhello\r\n0\r\n\r\n", "400", ""},
      {"last chunk ends in LF", chunked + "0\n\n", "400", ""},
      {"trailer with Content-Length", chunked + "1\r\nx\r\n0\r\nContent-Length: 40\r\n\r\n" + next, "400", ""},
      {"trailer", chunked + "1\r\nx\r\n0\r\nX: y\r\n\r\n" + next, "200 200", "POST / a x|GET /next a "},
      {"malformed trailer", chunked + "1\r\nx\r\n0\r\nX Y: 1\r\n\r\n", "400", ""},
      // ---- 9110 10.1.1
      {"unknown expectation", post + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nxy", "417", ""},
      {"Expect in 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nxy", "200", "POST /  xy"},
  };
}

}  // namespace

TEST_CASE("no handler sees a request that RFC 9112 refuses", "[http][strict]") {
  on_each_poller([] {
    const hang_guard guard("strict");
    mutex lock;
    std::string seen;  // under lock
    plain_server s([&](auto& w, const auto& r) {
      const std::string body(r.body());
      const std::lock_guard hold(lock);
      seen += (seen.empty() ? "" : "|") + std::string(r.method()) + ' ' + r.path() + ' ' +
              std::string(r.header("Host")) + ' ' + body;
      (void)w.write("ok");
    });
    for (const row& k : rows()) {
      const std::string got = answer_to(s.place(), k.bytes);
      same(k.what, statuses(got), k.statuses);
      const std::lock_guard hold(lock);
      same(k.what, seen, k.seen);
      seen.clear();
    }
  });
}

TEST_CASE("a request is the same in one piece or byte by byte", "[http][strict]") {
  in_world(2, [] {
    const hang_guard guard("byte by byte");
    plain_server s([&](auto& w, const auto& r) { (void)w.write(r.body()); });
    for (const row& k : rows()) {
      const std::string whole = answer_to(s.place(), k.bytes);
      auto c = net::dial("tcp", s.place()).unwrap();
      for (const char b : k.bytes)
        if (c.write(std::string_view(&b, 1)).err) break;
      (void)c.close_write();
      c.set_read_deadline(weft::now() + 5s);
      const std::string slow = read_up_to(c, 1 << 20);
      same(k.what, statuses(slow), statuses(whole));
    }
  });
}

TEST_CASE("every state of the parser has a bound", "[http][strict]") {
  on_each_poller([] {
    const hang_guard guard("bounds");
    http::limits l;
    l.max_header = 4000;
    l.max_body = 1000;
    plain_server s([](auto& w, const auto& r) { (void)w.write(r.body()); }, l);
    const auto flood = [&](const std::string& head, const std::string& unit) {
      auto c = net::dial("tcp", s.place()).unwrap();
      std::size_t sent = 0;
      (void)c.write(head);
      c.set_deadline(weft::now() + 20s);
      wait_group writer;
      writer.go([&] {
        while (sent < (64 << 20) && !c.write(unit).err) sent += unit.size();
      });
      const std::string got = read_up_to(c, 4096);
      (void)c.close();
      writer.wait();
      FACT(sent < (8 << 20));  // what the sockets hold, and not what the server does
      return statuses(got);
    };
    const std::string many(4096, 'a'), zeros(4096, '0');
    std::string fields, extensions;
    for (int i = 0; i < 100; ++i) {
      fields += "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
      extensions +=
          "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n";
    }
    const auto one_of = [](const std::string& got, std::string_view a, std::string_view b) {
      return got.empty() || got == a || got == b;  // a reset may overtake the answer
    };
    FACT(one_of(flood("GET /", many), "414", "414"));
    FACT(one_of(flood("GET / HTTP/1.1\r\nX: ", many), "431", "431"));
    FACT(one_of(flood(get, fields), "431", "431"));
    FACT(one_of(flood(get, "X: y\r\n"), "431", "431"));
    FACT(one_of(flood(chunked + "3;", many), "431", "400"));
    FACT(one_of(flood(chunked, zeros), "431", "400"));
    FACT(one_of(flood(chunked, extensions), "400", "413"));
    FACT(one_of(flood(chunked + "0\r\nX: ", many), "431", "400"));
    FACT(one_of(flood(chunked + "0\r\n", fields), "431", "400"));
    FACT(one_of(flood(chunked + "fff\r\n", many), "413", "413"));
    FACT(one_of(flood("", "\r\n"), "400", "400"));
    FACT(http::get(background(), "http://" + s.place() + "/").value.status == 200);
  });
}

TEST_CASE("a connection that sends nothing ends at header_time", "[http][strict]") {
  on_each_poller([] {
    const hang_guard guard("silent");
    http::limits l;
    l.header_time = 5ms;
    plain_server s([](auto&, const auto&) {}, l);
    auto silent = net::dial("tcp", s.place()).unwrap();
    FACT(read_up_to(silent, 1000).empty());
  });
}

TEST_CASE("trailers are not headers", "[http][strict]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) {
      FACT(r.header("X-Trusted").empty());
      const std::string body(r.body());
      FACT(r.header("X-Trusted").empty());
      (void)w.write(body + std::string(r.trailer("x-trusted")));
    });
    FACT(answer_to(s.place(), chunked + "1\r\na\r\n0\r\nX-Trusted: yes\r\n\r\n").ends_with("\r\n\r\nayes"));
  });
}

TEST_CASE("what a peer sends cannot forge a line of the log", "[http][strict]") {
  on_each_poller([] {
    mutex lock;
    std::vector<std::string> lines;  // under lock
    http::handler bad = [](auto&, const auto& r) { throw std::runtime_error("no " + r.path()); };
    net::listener l = net::listen("tcp", "127.0.0.1:0").unwrap();
    http::server s("", bad);
    s.set_error_log([&](std::string_view text) {
      const std::lock_guard hold(lock);
      lines.emplace_back(text);
    });
    wait_group serving;
    serving.go([&] { (void)s.serve(l); });
    FACT(statuses(answer_to(l.addr().to_string(), "GET /a%0d%0aroot%20logged%20in HTTP/1.1\r\nHost: a\r\n\r\n")) ==
         "500");
    (void)s.close();
    serving.wait();
    const std::lock_guard hold(lock);
    FACT(lines.size() == 1);
    FACT(lines.at(0).find_first_of("\r\n") == std::string::npos);
    FACT(lines.at(0).find("/a\\x0d\\x0aroot") != std::string::npos);
  });
}

TEST_CASE("the host of a CONNECT is its target's", "[http][strict]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) { (void)w.write(r.host()); });
    const std::string answer = answer_to(s.place(), "CONNECT evil:443 HTTP/1.1\r\nHost: allowed.example\r\n\r\n");
    FACT(answer.find("evil:443") != std::string::npos || answer.find("allowed") == std::string::npos);
    std::string host;
    plain_server seen([&](auto& w, const auto& r) {
      host = r.host();
      w.status(403);
    });
    (void)answer_to(seen.place(), "CONNECT evil:443 HTTP/1.1\r\nHost: allowed.example\r\n\r\n");
    FACT(host == "evil:443");
  });
}

TEST_CASE("a connection ends after Connection: close, in each version", "[http][strict]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto&) { (void)w.write("x"); });
    const auto stays = [&](const std::string& head) {
      return statuses(answer_to(s.place(), head + "\r\n" + head + "\r\n")) == "200 200";
    };
    FACT(stays("GET / HTTP/1.0\r\nConnection: keep-alive\r\n"));
    FACT(stays("GET / HTTP/1.0\r\nConnection: a\r\nConnection: b, Keep-Alive\r\n"));
    FACT(!stays("GET / HTTP/1.0\r\n"));
    FACT(!stays("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n"));
    FACT(!stays("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n"));
    FACT(!stays("GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n"));
    FACT(stays("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n"));
    FACT(!stays("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n"));
  });
}

TEST_CASE("a time of 0 among the limits is no bound", "[http][strict]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) { (void)w.write(r.body()); },
                   {.header_time = 0s, .body_time = 0s, .write_time = 0s, .idle_time = 0s});
    const auto c = net::dial("tcp", s.place()).unwrap();
    for (int i = 0; i < 2; ++i) {
      for (const char* part : {"POST / HTTP/1.1\r\nHost: a\r\n", "Content-Length: 2\r\n\r\n", "x", "y"}) {
        sleep(10ms);
        FACT(!c.write(part).err);
      }
      std::string got;
      std::byte some[1024];
      while (!got.ends_with("xy")) {
        const auto [n, err] = c.read(some);
        FACT(!err);
        got.append(reinterpret_cast<const char*>(some), n);
      }
    }
  });
}
