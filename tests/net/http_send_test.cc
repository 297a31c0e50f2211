// Answers that a handler sends in parts: compressed, as events, from files.
#include <fmt/format.h>

#include "tests/net/plain_server.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string get(const plain_server& s, std::string_view path, std::string_view fields,
                std::string_view method = "GET") {
  return answer_to(s.place(),
                   fmt::format("{} {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", method, path, fields));
}

std::string_view body(std::string_view answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

std::string read_until(const net::conn& c, std::string_view end) {
  std::string got;
  std::byte one[1];
  while (!got.ends_with(end) && c.read(one)) got += static_cast<char>(one[0]);
  return got;
}

const std::string text(10'000, 'x');
constexpr std::string_view asks = "Accept-Encoding: gzip\r\n", is_packed = "Content-Encoding: gzip\r\n";

}  // namespace

#if __has_include(<zlib.h>)
TEST_CASE("an answer is compressed for a client that accepts gzip", "[http][gzip]") {
  on_each_poller([] {
    plain_server s(http::compressed([](auto& w, const auto& r) {
      w.set_header("ETag", "\"a\"");
      if (r.path() == "/length") w.set_header("Content-Length", std::to_string(text.size()));
      if (r.path() == "/parts") {
        for (std::size_t at = 0; at < text.size(); at += 1000) FACT(!w.write(text.substr(at, 1000)) && !w.flush());
      } else {
        FACT(!w.write(text));
      }
      FACT(w.bytes_written() == text.size());
    }));
    for (const char* path : {"/", "/length", "/parts"}) {
      const std::string raw = get(s, path, asks);
      FACT(contains(raw, is_packed));
      FACT(contains(raw, "Vary: Accept-Encoding\r\n"));
      FACT(contains(raw, "ETag: W/\"a\"\r\n"));
      FACT(!contains(raw, "Content-Length: 10000"));
      FACT(raw.size() < 2000);
      const auto [whole, err] = http::client().get(background(), s.url(path));
      FACT(!err);
      FACT(whole.body == text);
      const std::string plain = get(s, path, "");
      FACT(!contains(plain, is_packed));
      FACT(contains(plain, "Vary: Accept-Encoding\r\n"));
    }
  });
}

TEST_CASE("weights decide whether an answer is compressed", "[http][gzip]") {
  on_each_poller([] {
    plain_server s(http::compressed([](auto& w, const auto&) { (void)w.write(text); }));
    for (const char* yes : {"gzip", "GZIP;q=1", "*", "br, gzip;q=0.5", "deflate, *;q=0.1", "gzip ; q=0.001"})
      FACT(contains(get(s, "/", fmt::format("Accept-Encoding: {}\r\n", yes)), is_packed));
    for (const char* no : {"", "br", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "*, gzip;q=0", "xgzip"})
      FACT(!contains(get(s, "/", fmt::format("Accept-Encoding: {}\r\n", no)), is_packed));
  });
}

TEST_CASE("what gains nothing or has a coding is not compressed", "[http][gzip]") {
  on_each_poller([] {
    plain_server s(http::compressed([](auto& w, const auto& r) {
      if (r.path() == "/short") return (void)w.write("short");
      if (r.path() == "/image") w.set_header("Content-Type", "image/png");
      if (r.path() == "/packed") w.set_header("Content-Encoding", "br");
      if (r.path() == "/part") w.status(206).set_header("Content-Range", "bytes 0-9999/20000");
      if (r.path() == "/none") return (void)w.status(204);
      (void)w.write(text);
    }));
    for (const char* path : {"/short", "/image", "/packed", "/part", "/none"})
      FACT(!contains(get(s, path, asks), is_packed));
    const std::string head = get(s, "/", asks, "HEAD");
    FACT(body(head).empty());
  });
}
#endif

TEST_CASE("each event is sent when it happens", "[http][events]") {
  on_each_poller([] {
    const hang_guard guard("events");
    auto next = make_chan<void>();
    plain_server s([&](auto& w, const auto&) {
      http::event_stream events(w);
      next.recv();
      FACT(!events.send({.data = "one"}));
      next.recv();
      FACT(!events.send({.data = "a\nb\r\nc\rd", .type = "t", .id = "7", .retry_ms = 50}));
      FACT(!events.keep_alive());
      FACT(!events.send({.data = ""}));
    });
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n").err);
    const std::string head = read_until(c, "\r\n\r\n");
    FACT(contains(head, "Content-Type: text/event-stream\r\n"));
    FACT(contains(head, "Cache-Control: no-store\r\n"));
    next.send();
    FACT(contains(read_until(c, "\n\n"), "data: one\n\n"));
    next.send();
    const std::string rest = read_until(c, "\r\n0\r\n\r\n");
    FACT(contains(rest, "event: t\nid: 7\nretry: 50\ndata: a\ndata: b\ndata: c\ndata: d\n\n"));
    FACT(contains(rest, ":\n\n"));
    FACT(contains(rest, "data: \n\n"));
  });
}

TEST_CASE("an event forges no other event", "[http][events]") {
  on_each_poller([] {
    for (const auto& [type, id] :
         {std::pair<std::string, std::string>("a\nb", ""), {"", "a\rb"}, {"", std::string("a\0b", 3)}}) {
      plain_server s([&, type = type, id = id](auto& w, const auto&) {
        http::event_stream events(w);
        try {
          (void)events.send({.data = "x", .type = type, .id = id});
          FACT(false);
        } catch (const panic&) {
        }
        (void)events.send({.data = "x\n\nevent: forged"});
      });
      s.server.set_error_log([](std::string_view) {});
      const std::string got = get(s, "/", "");
      FACT(contains(got, "data: x\ndata: \ndata: event: forged\n\n"));
    }
  });
}

TEST_CASE("a client that goes ends an event stream", "[http][events]") {
  on_each_poller([] {
    const hang_guard guard("events end");
    auto ended = make_chan<std::error_code>(1);
    plain_server s([&](auto& w, const auto& r) {
      http::event_stream events(w);
      while (!r.ctx().err()) {  // a write may fail before the watcher has seen the end
        (void)events.keep_alive();
        sleep(1ms);
      }
      ended.send(r.ctx().err());
    });
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n").err);
    FACT(!read_until(c, "\r\n\r\n").empty());
    (void)c.close();
    FACT(ended.recv() == errc::canceled);
  });
}

TEST_CASE("a part of a file is sent, with and without a length", "[http][send_file]") {
  on_each_poller([] {
    const temp_tree dir;
    std::string all;
    for (int i = 0; i < 100'000; ++i) all += std::to_string(i);
    FACT(!fs::write_file(dir.root() + "/file", all));
    plain_server s([&](auto& w, const auto& r) {
      const auto file = fs::open(dir.root() + "/file").unwrap();
      if (r.path() == "/length") w.set_header("Content-Length", "300005");
      FACT(!w.write("begin"));
      FACT(!w.send_file(file, 1000, 200'000));
      FACT(!w.send_file(file, 0, 0));
      FACT(!w.send_file(file, 0, 100'000));
      FACT(w.bytes_written() == 300'005);
      if (r.path() == "/length") FACT(w.send_file(file, 0, 1) == std::errc::message_size);
    });
    const std::string wanted = "begin" + all.substr(1000, 200'000) + all.substr(0, 100'000);
    for (const char* path : {"/length", "/chunks"}) FACT(http::get(background(), s.url(path)).value.body == wanted);
    const std::string head = get(s, "/length", "", "HEAD");
    FACT(contains(head, "Content-Length: 300005\r\n"));
    FACT(body(head).empty());
  });
}

TEST_CASE("a file that ends before is an error", "[http][send_file]") {
  on_each_poller([] {
    const temp_tree dir;
    FACT(!fs::write_file(dir.root() + "/file", "0123456789"));
    plain_server s([&](auto& w, const auto& r) {
      const auto file = fs::open(dir.root() + "/file").unwrap();
      if (r.path() == "/length") w.set_header("Content-Length", "20");
      FACT(w.send_file(file, 0, 20) == std::errc::io_error);
      FACT(w.send_file(file, 30, 5) == std::errc::io_error);
    });
    s.server.set_error_log([](std::string_view) {});
    FACT(http::get(background(), s.url("/length")).err == std::errc::connection_aborted);
    FACT(http::get(background(), s.url("/chunks")).value.body == "0123456789");
  });
}
