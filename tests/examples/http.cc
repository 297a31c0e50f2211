// HTTP: a server with a mux, its limits and its end, files, and a client.
#include <weft/async.h>
#include <weft/bufio.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/fs.h>
#include <weft/http.h>
#include <weft/http_client.h>
#include <weft/net.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;
namespace http = weft::http;

namespace {

// A server on a free port of this machine, for the examples of handlers.
class running_server {
 public:
  explicit running_server(http::handler h, http::limits l = {})
      : listener_(weft::net::listen("tcp", "127.0.0.1:0").unwrap()),
        server_("", std::move(h), l),
        serving_(weft::async([s = server_, l = listener_]() mutable { return s.serve(l); })) {}
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;
  ~running_server() {
    server_.shutdown(weft::background());
    serving_.get();
  }
  std::string address() const { return listener_.addr().to_string(); }
  std::string url(std::string_view path) const { return "http://" + address() + std::string(path); }

 private:
  weft::net::listener listener_;
  http::server server_;
  weft::task<std::error_code> serving_;
};

// Serves until shutdown, which waits for the requests that run.
void http_server() {
  http::mux m;
  m.handle("GET /hello/{name}", [](auto& w, const auto& r) { w.write("hello " + r.path_value("name")); });
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  http::server server("", m);
  auto serving = weft::async([&] { return server.serve(listener); });
  const std::string url = "http://" + listener.addr().to_string() + "/hello/world";
  const http::response answer = http::client().get(weft::background(), url).unwrap();
  std::printf("%d %s\n", answer.status, answer.body.c_str());
  server.shutdown(weft::background());
  if (serving.get() == weft::errc::closed) std::puts("the server has ended");
}
// Prints:
// 200 hello world
// the server has ended

// The more specific pattern wins; another method is answered by 405.
void http_mux() {
  http::mux m;
  m.handle("GET /files/{path...}", [](auto& w, const auto& r) { w.write("file " + r.path_value("path")); });
  m.handle("GET /files/latest", [](auto& w, const auto&) { w.write("the latest"); });
  const running_server server(m);
  const http::client c;
  for (const char* path : {"/files/a/b.txt", "/files/latest", "/other"}) {
    const auto answer = c.get(weft::background(), server.url(path)).unwrap();
    std::printf("%s: %d\n", answer.status == 200 ? answer.body.c_str() : path, answer.status);
  }
  std::printf("%d\n", c.post(weft::background(), server.url("/files/x"), "text/plain", "").unwrap().status);
  c.close_idle();
}
// Prints:
// file a/b.txt: 200
// the latest: 200
// /other: 404
// 405

// Fields of the request, its body, and fields of the answer.
void http_handler() {
  const running_server server([](http::response_writer& w, const http::request& r) {
    if (r.header("Content-Type") != "text/plain") return http::error(w, 415, "text, please");
    w.set_header("X-Length", std::to_string(r.body().size()));
    w.status(201).write("stored under " + r.query("name"));
  });
  const http::client c;
  const auto stored = c.post(weft::background(), server.url("/?name=a%20b"), "text/plain", "hello").unwrap();
  std::printf("%d %s, %s bytes\n", stored.status, stored.body.c_str(), std::string(stored.header("x-length")).c_str());
  std::printf("%d\n", c.post(weft::background(), server.url("/"), "image/png", "").unwrap().status);
  c.close_idle();
}
// Prints:
// 201 stored under a b, 5 bytes
// 415

// A body as a stream in both directions: neither side holds all of it.
void http_streams() {
  const running_server server([](http::response_writer& w, const http::request& r) {
    std::array<char, 4096> buf;
    while (const auto n = r.read(std::as_writable_bytes(std::span(buf)))) w.write({buf.data(), n.value});
  });
  const http::client c;
  http::response_stream answer =
      c.open(weft::background(), {.method = "PUT", .url = server.url("/"), .body = std::string(100'000, 'x')}).unwrap();
  std::array<std::byte, 4096> buf;
  std::size_t size = 0;
  while (const auto n = answer.read(buf)) size += n.value;
  std::printf("%d, %zu bytes\n", answer.status(), size);
  c.close_idle();
}
// Prints:
// 200, 100000 bytes

// The files below a directory, with types, conditions and ranges.
void http_file_server() {
  const examples::temp_dir dir;
  weft::fs::write_file(dir / "a.txt", "hello");
  const running_server server(http::strip_prefix("/static", http::file_server(dir.path())));
  const http::client c;
  const auto whole = c.get(weft::background(), server.url("/static/a.txt")).unwrap();
  std::printf("%s: %s\n", std::string(whole.header("Content-Type")).c_str(), whole.body.c_str());
  const auto part =
      c.send(weft::background(), "GET", server.url("/static/a.txt"), {{"Range", "bytes=1-3"}}, "").unwrap();
  std::printf("%d %s\n", part.status, part.body.c_str());
  std::printf("%d\n", c.get(weft::background(), server.url("/static/none")).unwrap().status);
  c.close_idle();
}
// Prints:
// text/plain; charset=utf-8: hello
// 206 ell
// 404

// Server-sent events: each is sent immediately.
void http_events() {
  const running_server server([](http::response_writer& w, const http::request&) {
    http::event_stream events(w);
    events.send({.data = "first"});
    events.send(http::event{.data = "second", .type = "note"});
  });
  const http::client c;
  std::fputs(c.get(weft::background(), server.url("/")).unwrap().body.c_str(), stdout);
  c.close_idle();
}
// Prints:
// data: first
//
// event: note
// data: second
//

// Limits of a server, for all requests and for some.
void http_limits() {
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  http::server server("", [](http::response_writer& w, const http::request& r) { w.write(r.body()); },
                      {.max_body = 10});
  server.set_route_limits([](const http::request& r, http::limits& l) {
    if (r.path() == "/upload") l.max_body = 1 << 20;
  });
  auto serving = weft::async([&] { return server.serve(listener); });
  const std::string root = "http://" + listener.addr().to_string(), body(100, 'x');
  const http::client c;
  std::printf("%d\n", c.post(weft::background(), root + "/", "text/plain", body).unwrap().status);
  std::printf("%d\n", c.post(weft::background(), root + "/upload", "text/plain", body).unwrap().status);
  c.close_idle();
  server.shutdown(weft::background());
  serving.get();
}
// Prints:
// 413
// 200

// A client with cookies, and an answer that is a redirect.
void http_client() {
  http::mux m;
  m.handle("GET /login", [](auto& w, const auto&) {
    w.set_cookie({.name = "session", .value = "42"});
    http::redirect(w, "/home", 302);
  });
  m.handle("GET /home", [](auto& w, const auto& r) { w.write("session " + r.cookie("session")); });
  const running_server server(m);
  http::client c;
  c.set_cookies(http::cookie_jar()).set_max_body(1 << 20);
  std::puts(c.get(weft::background(), server.url("/login")).unwrap().body.c_str());
  c.close_idle();
}
// Prints:
// session 42

// Fields and parameters as lists, and the words of a status.
void http_lists() {
  const running_server server([](http::response_writer& w, const http::request& r) {
    const http::value_list values = r.query_values();
    for (const auto& [name, value] : values) w.write(name + "=" + value + "\n");
    for (const http::header_field& f : r.headers())
      if (f.name.starts_with("X-")) w.write(std::string(f.name) + ": " + std::string(f.value) + "\n");
  });
  const http::client c;
  const http::header_list fields = {{"X-One", "1"}, {"X-Two", "2"}};
  const auto answer = c.send(weft::background(), "GET", server.url("/?a=1&b=%26"), fields, "").unwrap();
  std::printf("%s\n%s", std::string(http::status_text(answer.status)).c_str(), answer.body.c_str());
  c.close_idle();
}
// Prints:
// OK
// a=1
// b=&
// X-One: 1
// X-Two: 2

// A form with a file. The file's name is the client's text: it is not a path to open.
void http_form() {
  const running_server server([](http::response_writer& w, const http::request& r) {
    for (const http::form_part& p : r.multipart()) w.write(p.name + ", " + p.filename + ": " + std::string(p.content));
  });
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
  const http::client c;
  const auto answer = c.post(weft::background(), server.url("/"), "multipart/form-data; boundary=b", body).unwrap();
  std::puts(answer.body.c_str());
  c.close_idle();
}
// Prints:
// file, a.txt: hello

// A body that does not arrive whole is an exception. Uncaught, it is answered by its status too.
void http_body_error() {
  const running_server server(
      [](http::response_writer& w, const http::request& r) {
        try {
          w.write(r.body());
        } catch (const http::body_error& e) {
          w.status(e.status()).write("10 bytes are enough");
        }
      },
      {.max_body = 10});
  http::client_request upload{.method = "POST", .url = server.url("/")};
  upload.body_parts = [sent = false](std::span<std::byte> to) mutable {  // in chunks: the length is not known before
    return weft::result<std::size_t>{std::exchange(sent, true) ? 0 : std::min<std::size_t>(to.size(), 100)};
  };
  const http::client c;
  std::printf("%d\n", c.send(weft::background(), upload).unwrap().status);
  c.close_idle();
}
// Prints:
// 413

// One file, and an answer that is compressed on its way. The client decompresses it.
void http_serve_file() {
  const examples::temp_dir dir;
  weft::fs::write_file(dir / "page.html", "<p>hello");
  http::mux m;
  m.handle("/page", [path = dir / "page.html"](auto& w, const auto& r) { http::serve_file(w, r, path); });
  m.handle("/long", http::compressed([](auto& w, const auto&) {
             w.set_header("Content-Type", "text/plain").write(std::string(10'000, 'x'));
           }));
  const running_server server(m);
  const http::client c;
  std::puts(c.get(weft::background(), server.url("/page")).unwrap().body.c_str());
  std::printf("%zu bytes\n", c.get(weft::background(), server.url("/long")).unwrap().body.size());
  c.close_idle();
}
// Prints:
// <p>hello
// 10000 bytes

// Another protocol on the same connection: the handler takes it from the server.
void http_upgrade() {
  const running_server server([](http::response_writer& w, const http::request&) {
    const http::hijacked taken = w.upgrade("echo").unwrap();
    while (const auto got = taken.conn.receive())
      if (taken.conn.write(got.value).err) break;
  });
  const weft::net::conn c = weft::net::dial("tcp", server.address()).unwrap();
  c.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").unwrap();
  weft::bufio::reader in(c);
  std::puts(in.read_line().unwrap().c_str());
  while (!in.read_line().unwrap().empty()) continue;
  c.write("no HTTP any more\n").unwrap();
  std::puts(in.read_line().unwrap().c_str());
  c.close();
}
// Prints:
// HTTP/1.1 101 Switching Protocols
// no HTTP any more

// Limits of the client: what it accepts, and how long it waits.
void http_client_limits() {
  const running_server server([](http::response_writer& w, const http::request&) { w.write("more than 10 bytes"); });
  http::client c;
  c.set_limits(http::client_limits{.max_body = 10, .total_time = 1min});
  const auto [answer, err] = c.get(weft::background(), server.url("/"));
  if (err == std::errc::message_size) std::puts("the answer is too large");
  c.close_idle();
}
// Prints:
// the answer is too large

const examples::group http_group({
    {"http_server", http_server},
    {"http_mux", http_mux},
    {"http_handler", http_handler},
    {"http_streams", http_streams},
    {"http_file_server", http_file_server},
    {"http_events", http_events},
    {"http_limits", http_limits},
    {"http_client", http_client},
    {"http_lists", http_lists},
    {"http_form", http_form},
    {"http_body_error", http_body_error},
    {"http_serve_file", http_serve_file},
    {"http_upgrade", http_upgrade},
    {"http_client_limits", http_client_limits},
});

}  // namespace
