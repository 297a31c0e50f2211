#include "lessons/support/small_http.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <mutex>

namespace small_http {

using namespace weft;

struct server_state {
  std::string address;
  handler handle;
  mutex lock;
  net::listener listening;  // under lock
  bool closing = false;     // under lock
  wait_group under_way;

  void serve(const net::conn& c);
};

namespace {

// Everything up to the empty line, or "" if the client leaves before.
std::string read_head(const net::conn& c) {
  std::string head;
  std::array<std::byte, 2048> buffer;
  while (head.find("\r\n\r\n") == head.npos && head.size() < 64 << 10) {
    const auto [n, err] = c.read(buffer);
    if (err) return "";
    head.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  return head;
}

std::string decoded(std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      all += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      all += text[i] == '+' ? ' ' : text[i];
    }
  }
  return all;
}

request parse(std::string_view head) {
  request r;
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' '), second = line.find(' ', first + 1);
  if (second == line.npos) return r;
  r.method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, second - first - 1);
  const auto mark = target.find('?');
  r.path = decoded(target.substr(0, mark));
  for (std::string_view rest = mark == target.npos ? "" : target.substr(mark + 1); !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const auto equal = std::min(pair.find('='), pair.size());
    r.query[decoded(pair.substr(0, equal))] = decoded(pair.substr(std::min(equal + 1, pair.size())));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return r;
}

// As Go words it: "listen tcp :8080: bind: address already in use".
std::string bind_error(const std::string& address, std::error_code err) {
  std::string why = err.message();
  why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  return fmt::format("listen tcp {}: bind: {}", address, why);
}

}  // namespace

void server_state::serve(const net::conn& c) {
  request r = parse(read_head(c));
  response w;
  if (!r.method.empty()) {
    const auto [ctx, cancel] = with_cancel(background());
    r.ctx = ctx;
    r.remote_ip = c.remote_addr().host();
    handle(w, r);
    (void)c.write(
        fmt::format("HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n"
                    "Connection: close\r\n\r\n{}",
                    w.status_, w.status_ < 400 ? "OK" : "Error", w.body_.size(), w.body_));
  }
  (void)c.close();
}

mux& mux::handle(std::string path, handler h) {
  handlers_[std::move(path)] = std::move(h);
  return *this;
}

void mux::operator()(response& w, const request& r) const {
  const handler* best = nullptr;
  for (const auto& [path, h] : handlers_)  // in order, so that the longest comes last
    if (r.path == path || (path.ends_with('/') && r.path.starts_with(path))) best = &h;
  if (best) return (*best)(w, r);
  w.status(404);
  w.write("404 page not found\n");
}

server::server(std::string address, handler h) : s_(std::make_shared<server_state>()) {
  s_->address = std::move(address);
  s_->handle = std::move(h);
}

std::string server::listen_and_serve() const {
  net::listener l;
  {
    const std::lock_guard hold(s_->lock);
    if (s_->closing) return std::string(server_closed);
    auto opened = net::listen("tcp", s_->address);
    if (opened.err) return bind_error(s_->address, opened.err);
    l = s_->listening = opened.value;
  }
  for (;;) {
    const auto [c, err] = l.accept();
    const std::lock_guard hold(s_->lock);
    if (s_->closing) return std::string(server_closed);
    if (err) return err.message();
    s_->under_way.add(1);
    go({.name = "request"}, [s = s_, c = c] {
      s->serve(c);
      s->under_way.done();
    });
  }
}

std::error_code server::shutdown(const context& ctx) const {
  {
    const std::lock_guard hold(s_->lock);
    s_->closing = true;
    (void)s_->listening.close();
  }
  return s_->under_way.wait(ctx);
}

result<std::string> get(const context& ctx, const std::string& address, const std::string& path) {
  const auto [c, err] = net::dial(ctx, "tcp", address);
  if (err) return {"", err};
  const std::string head = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, address);
  if (const auto sent = c.write(ctx, std::as_bytes(std::span(head))); sent.err) return {"", sent.err};
  std::string all;
  for (std::array<std::byte, 2048> buffer;;) {
    const auto [n, failed] = c.read(ctx, buffer);
    if (failed == errc::eof) break;
    if (failed) return {"", failed};
    all.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  const auto body = all.find("\r\n\r\n");
  return {body == all.npos ? "" : all.substr(body + 4), {}};
}

void log_fatal(std::string_view what) {
  const std::string line = fmt::format("{}\n", what);
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  _exit(1);
}

void show_fibers(response& w, const request&) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* memory = open_memstream(&text, &size);
  dump_fibers(memory);
  std::fclose(memory);
  w.write({text, size});
  std::free(text);
}

}  // namespace small_http
