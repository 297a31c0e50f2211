// What a client sends to cost a server more than itself, or to make an answer look other than it
// is.
#include "tests/net/plain_server.h"
#include "tests/net/scripted_server.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// What comes up to `end`, or to the end of the connection.
std::string read_until(const net::conn& c, std::string_view end) {
  std::string got;
  std::byte some[1024];
  while (!contains(got, end)) {
    const auto [n, err] = c.read(some);
    if (err) break;
    got.append(reinterpret_cast<const char*>(some), n);
  }
  return got;
}

std::string post(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string pairs(std::size_t n) {
  std::string text = "a";
  while (--n > 0) text += "&a";
  return text;
}

std::string get(std::string_view method, std::string_view more = "") {
  return std::string(method) + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + std::string(more) + "\r\n";
}

const auto long_text = [](auto& w, const auto&) { (void)w.write(std::string(3000, 'x')); };

}  // namespace

TEST_CASE("a form of many empty values is refused", "[http]") {
  on_each_poller([] {
    plain_server s(
        [](auto& w, const auto& r) { (void)w.write(std::to_string(r.form_values().size()) + "," + r.form("b")); });
    FACT(contains(answer_to(s.place(), post(pairs(10'000))), "\r\n\r\n10000,"));
    FACT(answer_to(s.place(), post(pairs(10'001))).starts_with("HTTP/1.1 413 "));
  });
}

TEST_CASE("a query has at most 10,000 values", "[http]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) { (void)w.write(std::to_string(r.query_values().size())); });
    const std::string answer = answer_to(s.place(), "GET /?" + pairs(10'100) + " HTTP/1.0\r\n\r\n");
    FACT(answer.ends_with("\r\n\r\n10000"));
    plain_server one([](auto& w, const auto& r) { (void)w.write("b is " + r.query("b")); });
    FACT(answer_to(one.place(), "GET /?" + pairs(9'999) + "&b=1 HTTP/1.0\r\n\r\n").ends_with("b is 1"));
    FACT(answer_to(one.place(), "GET /?" + pairs(10'000) + "&b=1 HTTP/1.0\r\n\r\n").ends_with("b is "));
  });
}

TEST_CASE("the write time of an answer does not end a later one", "[http]") {
  in_world(2, [] {
    const hang_guard guard("100 Continue");
    plain_server s([](auto& w, const auto& r) { (void)w.write(r.body()); }, {.write_time = 1s});
    auto c = net::dial("tcp", s.place()).unwrap();
    c.set_read_deadline(now() + 60s);
    FACT(!c.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n").err);
    FACT(contains(read_until(c, "\r\n\r\n"), " 200 "));
    sleep(1200ms);
    FACT(!c.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").err);
    FACT(contains(read_until(c, "\r\n\r\n"), " 100 "));
    FACT(!c.write("ab").err);
    FACT(contains(read_until(c, "ab"), " 200 "));
  });
  report_broken_fact();
}

TEST_CASE("an answer of unknown length that was broken off does not end as a whole one does", "[http][answer]") {
  on_each_poller([] {
    for (const std::string_view way : {"throw", "goexit", "close", "end"}) {
      auto begun = make_chan<void>(1), stopped = make_chan<void>();
      plain_server s([&](auto& w, const auto&) {
        (void)w.write(std::string(10'000, 'x'));
        (void)w.flush();
        begun.send();
        stopped.recv();
        if (way == "throw") throw std::runtime_error("after the head");
        if (way == "goexit") goexit();
      });
      auto c = net::dial("tcp", s.place()).unwrap();
      c.set_read_deadline(now() + 60s);
      FACT(!c.write("GET / HTTP/1.0\r\n\r\n").err);
      begun.recv();
      if (way == "close") (void)s.server.close();
      stopped.close();
      std::byte some[4096];
      std::error_code end;
      while (!end) end = c.read(some).err;
      if (way == "end") FACT(end == errc::eof);
      else FACT(end == std::errc::connection_reset);
    }
  });
}

#if __has_include(<zlib.h>)
TEST_CASE("a compressed answer that is too short has no end", "[http][answer]") {
  on_each_poller([] {
    for (const std::size_t written : {1000u, 10'000u}) {
      plain_server s(http::compressed([&](auto& w, const auto&) {
        w.set_header("Content-Length", "20000");
        (void)w.write(std::string(written, 'x'));
      }));
      const std::string answer = answer_to(s.place(), get("GET", "Accept-Encoding: gzip\r\n"));
      FACT(contains(answer, "Content-Encoding: gzip\r\n") && contains(answer, "Transfer-Encoding: chunked\r\n"));
      FACT(!answer.ends_with("\r\n0\r\n\r\n"));
    }
  });
}

TEST_CASE("HEAD says of a compressed answer what GET would", "[http][answer]") {
  on_each_poller([] {
    plain_server packed(http::compressed(long_text));
    for (const char* method : {"HEAD", "GET"}) {
      const std::string answer = answer_to(packed.place(), get(method, "Accept-Encoding: gzip\r\n"));
      FACT(contains(answer, "Content-Encoding: gzip\r\n") && contains(answer, "Vary: Accept-Encoding\r\n"));
      FACT(!contains(answer, "Content-Length: 3000\r\n"));
      FACT(!contains(answer_to(packed.place(), get(method, "Accept-Encoding: gzip;Q=0\r\n")), "Content-Encoding"));
    }
  });
}

TEST_CASE("a 304 has the tag and the Vary of the compressed answer", "[http][answer]") {
  on_each_poller([] {
    plain_server s(http::compressed([](auto& w, const auto& r) {
      w.set_header("ETag", "\"a\"");
      if (r.header("If-None-Match").empty()) (void)w.write(std::string(3000, 'x'));
      else w.status(304);
    }));
    for (const char* condition : {"", "If-None-Match: W/\"a\"\r\n"}) {
      const std::string packed = answer_to(s.place(), get("GET", std::string("Accept-Encoding: gzip\r\n") + condition));
      FACT(contains(packed, "ETag: W/\"a\"\r\n") && contains(packed, "Vary: Accept-Encoding\r\n"));
      const std::string plain = answer_to(s.place(), get("GET", condition));
      FACT(contains(plain, "ETag: \"a\"\r\n") && contains(plain, "Vary: Accept-Encoding\r\n"));
    }
  });
}

#endif

TEST_CASE("HEAD says of the length what GET would, or nothing", "[http][answer]") {
  on_each_poller([] {
    plain_server silent([](auto&, const auto&) {}), plain(long_text);
    FACT(!contains(answer_to(silent.place(), get("HEAD")), "Content-Length"));
    FACT(contains(answer_to(silent.place(), get("GET")), "Content-Length: 0\r\n"));
    FACT(contains(answer_to(plain.place(), get("HEAD")), "Content-Length: 3000\r\n"));
  });
}

TEST_CASE("a CONNECT that is accepted has no framing, and ends with the connection", "[http][answer]") {
  on_each_poller([] {
    plain_server s([](auto&, const auto&) {});
    const std::string answer = answer_to(s.place(), "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n");
    FACT(answer.starts_with("HTTP/1.1 200 ") && contains(answer, "Connection: close\r\n"));
    FACT(!contains(answer, "Content-Length") && !contains(answer, "Transfer-Encoding"));
  });
}

TEST_CASE("the head of a connection's first request is timed from the connection's begin", "[http]") {
  in_world(2, [] {
    const hang_guard guard("slow head");
    plain_server s(long_text, {.header_time = 4s});
    auto c = net::dial("tcp", s.place()).unwrap();
    const time_point begin = now();
    sleep(2s);
    FACT(!c.write("G").err);
    c.set_read_deadline(now() + 60s);
    FACT(read_up_to(c, 1000).starts_with("HTTP/1.1 408 "));
    FACT(now() - begin < 5500ms);
  });
  report_broken_fact();
}

TEST_CASE("a file that is closed while an answer is sent is not read by its number any more", "[http][files]") {
  on_each_poller([] {
    std::error_code of_send;
    {
      plain_server s([&](auto& w, const auto&) {
        auto f = fs::open("/dev/null").unwrap();
        w.set_header("Content-Length", "5");
        FACT(!f.close());
        of_send = w.send_file(f, 0, 5);
      });
      (void)answer_to(s.place(), get("GET"));
    }
    FACT(of_send == errc::closed);
  });
}

TEST_CASE("a body's announced length of 2^64-1 costs no more than what comes", "[http]") {
  on_each_poller([] {
    const hang_guard guard("endless length");
    http::client c;
    c.set_max_body(UINT64_MAX);
    scripted_server s([](const net::conn& conn, int) {
      if (read_request(conn).empty()) return;
      (void)conn.write("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc");
    });
    FACT(c.get(background(), s.url()).err);
  });
}

TEST_CASE("cookies of an answer are bounded in number and path", "[http]") {
  in_world(2, [] {
    http::cookie_jar j;
    http::client c;
    c.set_cookies(j);
    std::string many;
    for (int i = 0; i < 3000; ++i) many += "Set-Cookie: c" + std::to_string(i) + "=1\r\n";
    scripted_server s([&](const net::conn& conn, int) {
      if (!read_request(conn).empty()) (void)conn.write(ok("", many));
    });
    FACT(!c.get(background(), s.url()).err);
    const std::string kept = j.get(s.url());
    FACT(contains(kept, "c99=") && !contains(kept, "c100="));
    const std::string deep = "http://a/" + std::string(1100, 'x') + "/y";
    j.set(deep, "deep=1");
    FACT(j.get(deep).empty());
    j.set(deep, "deep=1; Path=/");
    FACT(j.get(deep) == "deep=1");
  });
  report_broken_fact();
}

TEST_CASE("plain HTTP neither hides nor displaces a cookie of HTTPS", "[http]") {
  http::cookie_jar j;
  j.set("https://a/", "sid=good; Secure; Path=/");
  j.set("http://a/", "sid=evil; Path=/login");
  CHECK(j.get("https://a/login") == "sid=good");
  for (int i = 0; i < 60; ++i) j.set("http://a/", "n" + std::to_string(i) + "=1");
  CHECK(contains(j.get("https://a/"), "sid=good"));
}
