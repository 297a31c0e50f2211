// When a connection is used again, and when a request is sent again.
#include <thread>

#include "tests/net/scripted_server.h"
#include "tests/support/descriptors.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

// How many connections two requests take, when the first is answered by these bytes.
int connections_for(const std::string& answer, const http::header_list& headers = {}) {
  scripted_server s([&](const net::conn& c, int) {
    while (!read_request(c).empty())
      if (c.write(answer).err) return;
  });
  http::client c;
  for (int i = 0; i < 2; ++i) FACT(!c.send(background(), "GET", s.url(), headers, "").err);
  const int n = s.connections;
  c.close_idle();
  return n;
}

}  // namespace

TEST_CASE("a connection is used again after a whole answer with nothing behind it", "[http]") {
  on_each_poller([] {
    FACT(connections_for(ok("x")) == 1);
    FACT(connections_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n") == 1);
    FACT(connections_for("HTTP/1.1 204 No\r\n\r\n") == 1);
    FACT(connections_for("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx") == 1);
    FACT(connections_for("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx") == 2);
    FACT(connections_for(ok("x", "Connection: x, Close\r\n")) == 2);
    FACT(connections_for(ok("x"), {{"Connection", "close"}}) == 2);
    FACT(connections_for(ok("x") + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged") == 2);
    FACT(connections_for(ok("x") + "y") == 2);
    FACT(connections_for("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\nhello") == 2);
    FACT(connections_for(
             "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n") == 2);
  });
}

TEST_CASE("bytes that come while a connection idles are no answer", "[http]") {
  on_each_poller([] {
    auto forged = make_chan<void>();
    scripted_server s([&](const net::conn& c, int number) {
      (void)read_request(c);
      (void)c.write(ok("first"));
      if (number == 0) {
        (void)c.write(ok("forged"));
        forged.send();
      }
      (void)read_request(c);
    });
    http::client c;
    FACT(c.get(background(), s.url()).value.body == "first");
    forged.recv();
    FACT(c.get(background(), s.url()).value.body == "first");
    FACT(s.connections == 2);
    c.close_idle();
  });
}

TEST_CASE("what is not idempotent is not sent twice, and the rest at most twice", "[http]") {
  on_each_poller([] {
    for (const char* method : {"POST", "PATCH", "MERGE", "GET", "PUT", "DELETE", "HEAD", "OPTIONS"}) {
      std::atomic<int> done{0};
      scripted_server s([&](const net::conn& c, int) {
        for (std::string r; !(r = read_request(c)).empty();) {
          if (has(r, "/work ")) {
            ++done;
            return;  // and the answer is lost
          }
          if (c.write(ok("x")).err) return;
        }
      });
      http::client c;
      FACT(!c.get(background(), s.url()).err);
      FACT(c.send(background(), method, s.url("/work"), {}, "").err);
      const std::string_view m(method);
      FACT(done == (m == "POST" || m == "PATCH" || m == "MERGE" ? 1 : 2));
      c.close_idle();
    }
  });
}

TEST_CASE("a request is not repeated after a part of an answer, or after its time", "[http]") {
  on_each_poller([] {
    for (const bool silent : {false, true}) {
      std::atomic<int> done{0};
      scripted_server s([&](const net::conn& c, int) {
        for (std::string r; !(r = read_request(c)).empty();) {
          if (has(r, "/work ")) {
            ++done;
            if (!silent) (void)c.write("H");
            else (void)read_request(c);
            return;
          }
          if (c.write(ok("x")).err) return;
        }
      });
      http::client c;
      c.set_limits({.head_time = 50ms});
      if (c.get(background(), s.url()).err) continue;  // a slow machine
      FACT(c.get(background(), s.url("/work")).err);
      FACT(done <= 1);
      c.close_idle();
    }
  });
}

TEST_CASE("a POST finds a connection that was closed while it idled, and takes another", "[http]") {
  on_each_poller([] {
    auto closed = make_chan<void>(10);
    scripted_server s([&](const net::conn& c, int) {
      (void)read_request(c);
      (void)c.write(ok("x"));
      (void)c.close();
      closed.send();
    });
    http::client c;
    for (int i = 0; i < 5; ++i) {
      FACT(c.post(background(), s.url(), "text/x", "data").value.body == "x");
      closed.recv();
    }
    c.close_idle();
  });
}

TEST_CASE("idle connections are closed when their servers end them, or when they are old", "[http]") {
  in_world(2, [] {
    const hang_guard guard("idle connections");
    // A world opens some descriptors of its own as it runs.
    const auto wait_for = [](std::size_t at_most) {
      while (open_descriptors() > at_most + 20) sleep(5ms);
    };
    auto go_away = make_chan<void>();
    wait_group all, asked;
    asked.add(50);
    scripted_server s([&](const net::conn& c, int) {
      (void)read_request(c);
      asked.done();
      asked.wait();  // none is answered before all have a connection
      (void)c.write(ok("x"));
      go_away.recv();
    });
    http::client c;
    c.set_limits({.max_idle = 100});
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 50; ++i) all.go([&] { FACT(!c.get(background(), s.url()).err); });
    all.wait();
    FACT(open_descriptors() > before + 50);
    go_away.close();
    wait_for(before);

    scripted_server quiet(always(ok("x")));
    http::client hasty;
    hasty.set_limits({.idle_time = 5ms, .max_idle = 100});
    const std::size_t now_open = open_descriptors();
    for (int i = 0; i < 50; ++i) all.go([&] { FACT(!hasty.get(background(), quiet.url()).err); });
    all.wait();
    wait_for(now_open);
  });
  report_broken_fact();
}

TEST_CASE("the youngest connection is taken, and the oldest is dropped", "[http]") {
  on_each_poller([] {
    auto both = make_chan<void>(), pair_is_idle = make_chan<void>();
    scripted_server s([&](const net::conn& c, int number) {
      for (std::string r; !(r = read_request(c)).empty();) {
        if (has(r, "/pair ")) both.send();
        if (has(r, "/late ")) both.recv(), pair_is_idle.recv();
        if (c.write(ok(std::to_string(number))).err) return;
      }
    });
    http::client c;
    std::string late;
    wait_group all;
    all.go([&] { late = c.get(background(), s.url("/late")).value.body; });
    all.go([&] {
      FACT(!c.get(background(), s.url("/pair")).err);
      pair_is_idle.close();
    });
    all.wait();
    FACT(s.connections == 2);
    for (int i = 0; i < 5; ++i) FACT(c.get(background(), s.url()).value.body == late);
    c.close_idle();
  });
}

TEST_CASE("a client that outlives a world is used in the next one, and by a plain thread", "[http]") {
  http::client c;
  for (int i = 0; i < 3; ++i) {
    in_leaky_world(2, [&] {
      scripted_server s(always(ok("x")));
      for (int k = 0; k < 3; ++k) FACT(c.get(background(), s.url()).value.body == "x");
      s.stop();
    });
  }
  in_world(2, [&] {
    scripted_server s(always(ok("y")));
    blocking([&] {
      std::thread([&] {
        for (int k = 0; k < 3; ++k) FACT(http::client().get(background(), s.url()).value.body == "y");
      }).join();
    });
    c.close_idle();
  });
  report_broken_fact();
}
