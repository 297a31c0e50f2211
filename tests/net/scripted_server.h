// A server that sends bytes by a script, for clients that must not trust it.
#pragma once
#include <weft/go.h>
#include <weft/http_client.h>
#include <weft/wait_group.h>

#include <atomic>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>

#include "tests/net/on_each_poller.h"

namespace weft::testing {

// A request with its body by Content-Length; empty if the client has gone.
inline std::string read_request(const net::conn& c) {
  std::string text;
  std::byte some[4096];
  std::size_t wanted = std::string::npos;
  while (text.size() < wanted) {
    const auto [n, err] = c.read(some);
    if (err) return {};
    text.append(reinterpret_cast<const char*>(some), n);
    const auto end = text.find("\r\n\r\n");
    if (wanted != std::string::npos || end == std::string::npos) continue;
    wanted = end + 4;
    if (const auto at = text.find("Content-Length: "); at < end) {
      std::size_t length = 0;
      std::from_chars(text.data() + at + 16, text.data() + end, length);
      wanted += length;
    }
  }
  return text;
}

// Calls script(connection, number of the connection) in a fiber for each, and closes the connection
// after it.
class scripted_server {
 public:
  using script = std::function<void(const net::conn&, int)>;
  explicit scripted_server(script s, std::string_view host = "127.0.0.1")
      : l_(net::listen("tcp", std::string(host) + ":0").unwrap()) {
    fibers_.go([this, s = std::move(s)] {
      for (;;) {
        auto [c, err] = l_.accept();
        if (err) return;
        const int number = connections++;
        fibers_.go([this, c = c, s, number] {
          {
            const std::lock_guard hold(lock_);
            open_.push_back(c);
          }
          s(c, number);
          (void)c.close();
        });
      }
    });
  }
  ~scripted_server() { stop(); }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  void stop() {
    (void)l_.close();
    {
      const std::lock_guard hold(lock_);
      for (const net::conn& c : open_) (void)c.close();
    }
    fibers_.wait();
  }
  std::string place() const { return l_.addr().to_string(); }
  std::string url(std::string_view path = "/") const { return "http://" + place() + std::string(path); }

  std::atomic<int> connections{0};

 private:
  net::listener l_;
  mutex lock_;
  std::vector<net::conn> open_;
  wait_group fibers_;
};

// Answers each request on a connection with the same bytes.
inline scripted_server::script always(std::string answer) {
  return [answer = std::move(answer)](const net::conn& c, int) {
    while (!read_request(c).empty())
      if (c.write(answer).err) return;
  };
}
// Answers one request and closes.
inline scripted_server::script answers_once(std::string answer) {
  return [answer = std::move(answer)](const net::conn& c, int) {
    if (!read_request(c).empty()) (void)c.write(answer);
  };
}

inline std::string ok(std::string_view body, std::string_view fields = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

}  // namespace weft::testing
