#include <weft/http.h>

#include "tests/net/plain_server.h"
#include "tests/support/child.h"

#include <unistd.h>

#include <ctime>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

using running = plain_server;

void say_hello(http::response_writer& w, const http::request&) { (void)w.write("hello"); }

}  // namespace

TEST_CASE("a request reaches its handler, and the answer its client", "[http]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      FACT(r.method() == "POST");
      FACT(r.path() == "/a b");
      FACT(r.target() == "/a%20b?x=1&y=a+b%21&z");
      FACT(r.query("x") == "1");
      FACT(r.query("y") == "a b!");
      FACT(r.query("none").empty());
      FACT(r.header("content-type") == "text/x");
      FACT(r.remote_addr().host() == "127.0.0.1");
      w.status(201).set_header("X-One", "1");
      FACT(!w.write("got ").operator bool());
      FACT(!w.write(r.body()).operator bool());
    });
    http::client c;
    auto [got, err] = c.post(background(), s.url("/a%20b?x=1&y=a+b%21&z"), "text/x", "data");
    FACT(!err);
    FACT(got.status == 201);
    FACT(got.header("x-one") == "1");
    FACT(got.header("content-length") == "8");
    FACT(got.body == "got data");
  });
}

TEST_CASE("a connection carries many requests, also in one go", "[http]") {
  on_each_poller([] {
    std::atomic<int> served{0};
    running s([&](auto& w, const auto& r) {
      ++served;
      (void)w.write(r.path());
    });
    http::client c;
    for (int i = 0; i < 20; ++i)
      FACT(c.get(background(), s.url("/" + std::to_string(i))).value.body == "/" + std::to_string(i));
    c.close_idle();
    FACT(served == 20);
    const std::string one = "GET /p HTTP/1.1\r\nHost: x\r\n\r\n",
                      last = "GET /q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const std::string all = answer_to(s.place(), one + one + last);
    FACT(served == 23);
    FACT(all.find("/q") != std::string::npos);
    FACT(all.find("Connection: close") != std::string::npos);
  });
}

TEST_CASE("an answer is dated by the second, unless its handler dates it", "[http]") {
  in_world(2, [] {
    running s([](auto& w, const auto& r) {
      if (r.path() == "/own") w.set_header("Date", "today");
      (void)w.write("dated");
    });
    http::client c;
    std::time_t last = 0;
    for (int i = 0; i < 2; ++i) {
      const std::time_t before = std::time(nullptr);
      const std::string date(c.get(background(), s.url("/")).value.header("date"));
      std::tm told{};
      const char* end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &told);
      REQUIRE(end != nullptr);
      CHECK(*end == '\0');
      CHECK(timegm(&told) >= before);
      CHECK(timegm(&told) <= std::time(nullptr));
      CHECK(timegm(&told) > last);
      last = timegm(&told);
      if (i == 0) sleep(1100ms);
    }
    CHECK(c.get(background(), s.url("/own")).value.header("date") == "today");
  });
}

TEST_CASE("what does not fit a buffer goes out in chunks", "[http]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      if (r.path() == "/flush") {
        (void)w.write("a");
        (void)w.flush();
        (void)w.write("b");
      } else {
        for (int i = 0; i < 100; ++i) (void)w.write(std::string(1000, 'x'));
      }
    });
    auto big = http::get(background(), s.url("/big")).value;
    FACT(big.body == std::string(100'000, 'x'));
    FACT(big.header("Transfer-Encoding") == "chunked");
    FACT(http::get(background(), s.url("/flush")).value.body == "ab");
    const std::string old = answer_to(s.place(), "GET /flush HTTP/1.0\r\n\r\n");
    FACT(old.ends_with("\r\n\r\nab"));
  });
}

TEST_CASE("a chunked request is read, and a client that asks may go on", "[http]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) { (void)w.write(r.body()); });
    FACT(answer_to(s.place(),
                   "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
             .ends_with("\r\n\r\nabcde"));
    auto c = net::dial("tcp", s.place()).unwrap();
    FACT(!c.write("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").err);
    FACT(read_up_to(c, 25) == "HTTP/1.1 100 Continue\r\n\r\n");
    FACT(!c.write("ok").err);
    FACT(!c.close_write());
    FACT(read_up_to(c, 10'000).ends_with("ok"));
  });
}

TEST_CASE("HEAD has the head of GET and no body", "[http]") {
  on_each_poller([] {
    running s(say_hello);
    const std::string head = answer_to(s.place(), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    FACT(head.find("Content-Length: 5\r\n") != std::string::npos);
    FACT(head.ends_with("\r\n\r\n"));
  });
}

TEST_CASE("malformed and oversized requests are refused, and the server goes on", "[http]") {
  on_each_poller([] {
    http::limits l;
    l.max_header = 1000;
    l.max_body = 100;
    running s(say_hello, l);
    FACT(answer_to(s.place(), "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
    FACT(answer_to(s.place(), "GET / HTTP/1.1\r\nbroken").starts_with("HTTP/1.1 400 "));
    FACT(answer_to(s.place(), "GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n")
             .starts_with("HTTP/1.1 431 "));
    FACT(answer_to(s.place(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'))
             .starts_with("HTTP/1.1 413 "));
    FACT(answer_to(s.place(), "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n").starts_with("HTTP/1.1 400 "));
    FACT(answer_to(s.place(), "").empty());
    FACT(http::get(background(), s.url("/")).value.body == "hello");
  });
}

TEST_CASE("a client that is slow with its head or silent is let go", "[http]") {
  on_each_poller([] {
    const hang_guard guard("slow loris");
    http::limits l;
    l.header_time = 5ms;
    l.idle_time = 5ms;
    auto at = net::listen("tcp", "127.0.0.1:0").unwrap();
    const std::string place = at.addr().to_string();
    const auto slow = net::dial("tcp", place).unwrap();
    FACT(!slow.write("GET / HT").err);  // before it is accepted, which its time begins with
    const running_server<net::listener> s(std::move(at), say_hello, l);
    FACT(read_up_to(slow, 1000).starts_with("HTTP/1.1 408 "));
    const auto silent = net::dial("tcp", place).unwrap();
    FACT(read_up_to(silent, 1000).empty());
  });
}

TEST_CASE("an exception in a handler is a 500", "[http]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      (void)w.write("half an answer");
      if (r.path() == "/late") (void)w.flush();
      throw std::runtime_error("handler test");
    });
    const auto got = http::get(background(), s.url("/")).value;
    FACT(got.status == 500);
    FACT(got.body.find("half") == std::string::npos);
    FACT(http::get(background(), s.url("/late")).err);  // it must not look complete
  });
}

TEST_CASE("a handler hears that its client has gone", "[http]") {
  on_each_poller([] {
    const hang_guard guard("client gone");
    auto heard = make_chan<std::error_code>(1);
    running s([&](auto&, const auto& r) {
      const context ctx = r.ctx();
      ctx.done().recv();
      heard.send(ctx.err());
    });
    {
      auto c = net::dial("tcp", s.place()).unwrap();
      FACT(!c.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n").err);
      sleep(1ms);
    }
    FACT(heard.recv() == make_error_code(errc::canceled));
  });
}

TEST_CASE("shutdown waits for requests under way and ends idle connections", "[http]") {
  on_each_poller([] {
    const hang_guard guard("shutdown");
    auto entered = make_chan<void>(), go_on = make_chan<void>();
    running s([&](auto& w, const auto& r) {
      if (r.path() == "/slow") {
        entered.send();
        go_on.recv();
      }
      (void)w.write("done");
    });
    http::client c;
    FACT(c.get(background(), s.url("/")).value.body == "done");  // and its connection idles
    wait_group all;
    all.go([&] { FACT(http::client().get(background(), s.url("/slow")).value.body == "done"); });
    entered.recv();
    {
      auto [ctx, cancel] = with_timeout(background(), 3ms);
      FACT(s.server.shutdown(ctx) == errc::deadline_exceeded);
    }
    all.go([&] { FACT(!s.server.shutdown(background())); });
    go_on.send();
    all.wait();
    FACT(net::dial("tcp", s.place()).err == std::errc::connection_refused);
  });
}

TEST_CASE("shutdown answers a request that has come, on an old connection and on a new one", "[http]") {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  in_world(options{.maxprocs = 1, .poller = kind}, [] {
    const hang_guard guard("shutdown beside a request");
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (int i = 0; i < scaled(20); ++i) {
      running s([](auto& w, const auto&) { (void)w.write("done"); });
      auto fresh = net::dial("tcp", s.place()).unwrap(), old = net::dial("tcp", s.place()).unwrap();
      FACT(!old.write(get).err);
      std::string first;  // after it both are accepted
      while (!first.ends_with("done")) first += read_up_to(old, 1);
      for (const net::conn& c : {fresh, old}) FACT(!c.write(get).err);
      FACT(!s.server.shutdown(background()));
      for (const net::conn& c : {fresh, old}) {
        const std::string got = read_up_to(c, 1000);
        FACT(got.starts_with("HTTP/1.1 200 "));
        FACT(got.ends_with("done"));
      }
    }
  });
  report_broken_fact();
}

TEST_CASE("a context ends a request of the client", "[http]") {
  on_each_poller([] {
    const hang_guard guard("client context");
    running s([](auto&, const auto& r) { r.ctx().done().recv(); });
    auto [ctx, cancel] = with_timeout(background(), 3ms);
    FACT(http::get(ctx, s.url("/")).err == errc::deadline_exceeded);
  });
}

TEST_CASE("the client follows redirects and tries a connection that was closed once more", "[http]") {
  on_each_poller([] {
    running s([](auto& w, const auto& r) {
      if (r.path() == "/a") w.status(302).set_header("Location", "b/c?q=1");
      else if (r.path() == "/b/c") w.status(301).set_header("Location", "/end");
      else if (r.path() == "/loop") w.status(302).set_header("Location", "/loop");
      else if (r.path() == "/bye") w.set_header("Connection", "close"), (void)w.write("bye");
      else (void)w.write(r.path());
    });
    http::client c;
    FACT(c.get(background(), s.url("/a")).value.body == "/end");
    FACT(c.get(background(), s.url("/loop")).err);
    FACT(c.get(background(), s.url("/bye")).value.body == "bye");
    FACT(c.get(background(), s.url("/x")).value.body == "/x");
    FACT(c.get(background(), "ftp://x/").err == std::errc::protocol_not_supported);
    FACT(c.get(background(), "http:///").err == std::errc::invalid_argument);
    FACT(c.get(background(), "http://127.0.0.1:1/").err == std::errc::connection_refused);
  });
}

TEST_CASE("curl is answered", "[http][process]") {
  if (access("/usr/bin/curl", X_OK) != 0) return;
  on_each_poller([] {
    running s([](auto& w, const auto& r) { (void)w.write(std::string(r.method()) + ' ' + std::string(r.body())); });
    const auto curl = [&](std::vector<std::string> flags) {
      std::vector<std::string> argv{"/usr/bin/curl", "-s", "--max-time", "20"};
      argv.insert(argv.end(), flags.begin(), flags.end());
      argv.push_back(s.url("/"));
      return blocking([&] { return run_child(argv); });
    };
    FACT(curl({}).out == "GET ");
    FACT(curl({"-d", "data"}).out == "POST data");
    FACT(curl({"-H", "Transfer-Encoding: chunked", "-d", "data"}).out == "POST data");
    const std::string large(200'000, 'x');
    FACT(curl({"--data-binary", "@/proc/self/cmdline"}).out.starts_with("POST /usr/bin/curl"));
  });
}
