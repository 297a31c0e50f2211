// A request's body: read when the handler reads it, within the limits.
#include <fmt/format.h>

#include <atomic>

#include "tests/net/plain_server.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n", get = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::string read_all(const http::request& r, std::size_t at_a_time) {
  std::string all, part(at_a_time, '\0');
  for (;;) {
    const auto [n, err] = r.read(std::as_writable_bytes(std::span(part)));
    if (err) {
      FACT(err == errc::eof);
      return all;
    }
    all.append(part, 0, n);
  }
}

}  // namespace

TEST_CASE("a body is read in parts of any size", "[http][body]") {
  on_each_poller([] {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += std::to_string(i);
    std::string chunks;
    for (std::size_t at = 0, n = 1; at < text.size(); at += n, n = n * 3 + 1) {
      const std::string part = text.substr(at, n);
      chunks += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    }
    const std::string sized = post + "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text,
                      chunked = post + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n";
    for (const std::size_t part : {1000u, 7u, 100'000u})
      for (const std::string& bytes : {sized, chunked}) {
        plain_server s([&](auto& w, const auto& r) {
          if (r.path() == "/next") return;
          FACT(read_all(r, part) == text);
          FACT(r.body().empty());
          (void)w.write("read");
        });
        const std::string got = answer_to(s.place(), bytes + get);
        FACT(got.find("\r\n\r\nread") != std::string::npos);
        FACT(got.find("HTTP/1.1 200 OK", 10) != std::string::npos);  // the next one
      }
  });
}

TEST_CASE("body() returns what read() has left", "[http][body]") {
  on_each_poller([] {
    plain_server s([](auto& w, const auto& r) {
      std::byte two[2];
      FACT(r.read(two).value == 2);
      (void)w.write(r.body());
    });
    FACT(answer_to(s.place(), post + "Content-Length: 5\r\n\r\nabcde").ends_with("\r\n\r\ncde"));
  });
}

TEST_CASE("a client is no faster than the handler that reads", "[http][body]") {
  on_each_poller([] {
    const hang_guard guard("back-pressure");
    http::limits l;
    l.max_body = 1 << 30;
    auto go_on = make_chan<void>();
    std::atomic<std::size_t> got{0};
    plain_server s(
        [&](auto&, const auto& r) {
          go_on.recv();
          std::vector<std::byte> part(64 << 10);
          while (auto n = r.read(part)) got += n.value;
        },
        l);
    constexpr std::size_t size = 64 << 20;
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write(post + "Content-Length: " + std::to_string(size) + "\r\n\r\n").err);
    std::atomic<std::size_t> sent{0};
    wait_group writer;
    writer.go([&] {
      const std::string part(64 << 10, 'x');
      while (sent < size && !c.write(part).err) sent += part.size();
    });
    std::size_t before = 1;  // until the sockets are full
    for (int i = 0; i < 100 && sent != before; ++i) {
      before = sent;
      sleep(20ms);
    }
    FACT(sent < size / 2);
    go_on.send();
    writer.wait();
    FACT(sent == size);
    (void)c.close_write();
    FACT(read_up_to(c, 100'000).starts_with("HTTP/1.1 200 "));
    FACT(got == size);
  });
}

TEST_CASE("a body that does not arrive whole is an error of its handler", "[http][body]") {
  on_each_poller([] {
    const hang_guard guard("body errors");
    const auto seen = make_chan<std::error_code>(1);
    const http::handler reads = [&](auto& w, const auto& r) {
      std::byte some[10];
      if (r.path() == "/read") {
        std::error_code e;
        while (!e) e = r.read(some).err;
        seen.send(e);
        http::error(w, 499, "read");
        return;
      }
      (void)w.write(r.body());
    };
    http::limits patient, hasty;
    patient.max_body = 100;
    hasty.body_time = 5ms;
    plain_server waits(reads, patient), gives_up(reads, hasty);
    const auto ask = [](const plain_server& s, const std::string& path, const std::string& rest) {
      auto c = net::dial("tcp", s.place()).unwrap();
      (void)c.write("POST " + path + " HTTP/1.1\r\nHost: a\r\n" + rest);
      return c;
    };
    const auto cut_off = [&](const std::string& path, const std::string& rest) {
      const net::conn c = ask(waits, path, rest);
      (void)c.close_write();
      return read_up_to(c, 12);
    };
    const auto silent = [&](const plain_server& s, const std::string& path, const std::string& rest) {
      return read_up_to(ask(s, path, rest), 12);
    };
    const std::string part = "Content-Length: 10\r\n\r\nabc", chunks = "Transfer-Encoding: chunked\r\n\r\n";
    FACT(cut_off("/", part) == "HTTP/1.1 400");
    FACT(cut_off("/", chunks + "3\r\nabc\r\n") == "HTTP/1.1 400");
    FACT(cut_off("/read", part) == "HTTP/1.1 499");
    FACT(seen.recv() == std::errc::bad_message);
    FACT(silent(waits, "/", "Content-Length: 101\r\n\r\n") == "HTTP/1.1 413");
    FACT(silent(waits, "/", chunks + "65\r\nabc") == "HTTP/1.1 413");
    FACT(silent(gives_up, "/", part) == "HTTP/1.1 408");
    FACT(silent(gives_up, "/", chunks + "3\r\nabc\r\n") == "HTTP/1.1 408");
    FACT(silent(gives_up, "/read", part) == "HTTP/1.1 499");
    FACT(seen.recv() == errc::timeout);
  });
}

TEST_CASE("a client that asks gets 100 only when its body is read", "[http][body]") {
  on_each_poller([] {
    const hang_guard guard("expect");
    plain_server s([&](auto& w, const auto& r) {
      if (r.path() == "/refuse") return http::error(w, 403, "no");
      (void)w.write(r.body());
    });
    const std::string rest = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    const std::string refused = answer_to(s.place(), "POST /refuse" + rest);
    FACT(refused.starts_with("HTTP/1.1 403 "));
    FACT(refused.find("Connection: close\r\n") != std::string::npos);
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write("POST /take" + rest).err);
    FACT(read_up_to(c, 25) == "HTTP/1.1 100 Continue\r\n\r\n");
    FACT(!c.write("ok").err);
    FACT(!c.close_write());
    FACT(read_up_to(c, 10'000).ends_with("ok"));
  });
}

TEST_CASE("a body that its handler leaves is not the next request", "[http][body]") {
  on_each_poller([] {
    std::atomic<int> served{0};
    plain_server s([&](auto& w, const auto&) {
      ++served;
      (void)w.write("x");
    });
    const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(20'000, 'x');
    FACT(answer_to(s.place(), post + "Content-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" + smuggled + get)
             .find("/smuggled") == std::string::npos);
    FACT(served == 2);
    served = 0;
    (void)answer_to(s.place(), post + "Transfer-Encoding: chunked\r\n\r\n5000\r\n" + smuggled);
    FACT(served == 1);
  });
}

TEST_CASE("what the function of a route's limits throws is a 500", "[http][body]") {
  on_each_poller([] {
    net::listener at = net::listen("tcp", "127.0.0.1:0").unwrap();
    http::server s("", [](auto& w, const auto&) { (void)w.write("fine"); });
    s.set_error_log([](std::string_view) {});
    s.set_route_limits([](const auto& r, http::limits&) {
      if (r.path() == "/error") throw std::runtime_error("no limits");
      if (r.path() == "/number") throw 42;
    });
    wait_group serving;
    serving.go([&] { (void)s.serve(at); });
    for (const auto& [path, status] : {std::pair("/error", "500"), std::pair("/number", "500"), std::pair("/", "200")})
      FACT(answer_to(at.addr().to_string(), std::string("GET ") + path + " HTTP/1.1\r\nHost: a\r\n\r\n").substr(9, 3) ==
           status);
    (void)s.close();
    serving.wait();
  });
}

TEST_CASE("a route has limits of its own", "[http][body]") {
  on_each_poller([] {
    http::limits l;
    l.max_body = 10;
    net::listener at = net::listen("tcp", "127.0.0.1:0").unwrap();
    http::server s(
        "", [](auto& w, const auto& r) { (void)w.write(r.body()); }, l);
    s.set_route_limits([](const auto& r, http::limits& of_route) {
      if (r.path() == "/large") of_route.max_body = 1000;
      if (r.path() == "/none") of_route.max_body = 0;
    });
    wait_group serving;
    serving.go([&] { (void)s.serve(at); });
    const auto ask = [&](std::string path, std::size_t n) {
      return answer_to(at.addr().to_string(), "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                                  std::to_string(n) + "\r\n\r\n" + std::string(n, 'x'))
          .substr(9, 3);
    };
    FACT(ask("/", 10) == "200");
    FACT(ask("/", 11) == "413");
    FACT(ask("/large", 1000) == "200");
    FACT(ask("/large", 1001) == "413");
    FACT(ask("/none", 1) == "413");
    (void)s.close();
    serving.wait();
  });
}

TEST_CASE("one fiber reads the body while another one answers", "[http][body]") {
  on_each_poller([] {
    const hang_guard guard("echo");
    const std::string text(300'000, 'x');
    plain_server s([&](auto& w, const auto& r) {
      if (r.path() == "/next") return;
      wait_group reader;
      std::size_t got = 0;
      reader.go([&] {
        std::vector<std::byte> part(5000);
        while (const auto n = r.read(part)) got += n.value;
      });
      for (int i = 0; i < 20; ++i) FACT(!w.write("y") && !w.flush());
      reader.wait();
      FACT(got == text.size());
    });
    for (const char* expect : {"", "Expect: 100-continue\r\n"}) {
      const std::string got = answer_to(s.place(), post + expect + "Content-Length: 300000\r\n\r\n" + text + get);
      const auto final_head = got.find("HTTP/1.1 200 OK\r\n");
      FACT(final_head != std::string::npos);
      const std::string before = got.substr(0, final_head);
      FACT((before.empty() || before == "HTTP/1.1 100 Continue\r\n\r\n"));
      FACT(got.find("100 Continue", final_head) == std::string::npos);
      FACT(got.find("0\r\n\r\nHTTP/1.1 200 OK", final_head) != std::string::npos);  // the next one
    }
  });
}
