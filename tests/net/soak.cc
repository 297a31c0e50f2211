// A server among clients that behave and clients that do not, for as many seconds as are given:
// `soak [SECONDS]`.
//
// Some ask and read the answer; others vanish in the middle, send nonsense, dawdle, ask for too
// much, give up by a context or a deadline, or are closed by another fiber while they read. Good
// clients must always be served, and at the end no fiber and no descriptor is left. Run it with
// WEFT_DEBUG=chaos, and with either poller.
#include <unistd.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "tests/support/descriptors.h"

using namespace weft;
using namespace std::chrono_literals;

namespace {

std::atomic<bool> over{false};
std::atomic<long> served{0}, refused{0}, vanished{0}, given_up{0}, echoed{0};

void must(bool fact, const char* what) {
  if (fact) return;
  std::fprintf(stderr, "soak: broken: %s\n", what);
  dump_fibers(stderr);
  std::abort();
}

struct dice {
  std::uint32_t state;
  std::uint32_t below(std::uint32_t n) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % n;
  }
};

// Of the server: until it has the whole head of a request.
constexpr duration header_time = 200ms;

struct place {
  std::string http, echo;
  http::client client;
};

std::string read_all(const net::conn& c) {
  std::string all;
  std::byte buf[1024];
  for (;;) {
    const auto [n, err] = c.read(buf);
    if (err) return all;
    all.append(reinterpret_cast<const char*>(buf), n);
  }
}

// ---- the ones that behave
// ------------------------------------------------------------------------------

void asks_and_reads(const place& at, dice& d) {
  const std::string text(d.below(3000), 'x');
  const time_point began = now();
  const auto [answer, err] = at.client.post(background(), "http://" + at.http + "/echo", "text/plain", text);
  // A machine that stops all fibers for so long makes a dawdler of this one. The server's clock
  // begins later.
  if (err && now() - began >= header_time * 9 / 10) return;
  if (err) std::fprintf(stderr, "soak: %s\n", err.message().c_str());
  must(!err, "who behaves is answered");
  must(answer.status == 200 && answer.body == text, "the answer is the right one");
  ++served;
}

void talks(const place& at, dice& d) {
  auto c = net::dial("tcp", at.echo).unwrap();
  for (std::uint32_t i = d.below(20); i > 0; --i) {
    std::byte there[200], back[200];
    std::memset(there, static_cast<int>(i), sizeof there);
    must(!c.write(there).err, "an echo server takes what it is told");
    for (std::size_t n = 0; n < sizeof back;) {
      const auto [got, err] = c.read(std::span(back).subspan(n));
      must(!err, "an echo server answers");
      n += got;
    }
    must(std::memcmp(there, back, sizeof back) == 0, "an echo is what was said");
    ++echoed;
  }
}

// ---- the others --------------------------------------------------------------------------------

void vanishes(const place& at, dice& d) {
  auto [c, err] = net::dial("tcp", d.below(2) ? at.http : at.echo);
  if (err) return;
  const std::string_view whole = "POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc";
  (void)c.write(std::as_bytes(std::span(whole.substr(0, d.below(static_cast<std::uint32_t>(whole.size())))))).err;
  if (d.below(2)) (void)c.set_linger(0);  // a reset
  (void)c.close();
  ++vanished;
}

void talks_nonsense(const place& at, dice& d) {
  auto [c, err] = net::dial("tcp", at.http);
  if (err) return;
  std::string text(1 + d.below(200), ' ');
  for (char& one : text) one = static_cast<char>(d.below(256));
  text += "\r\n\r\n";
  (void)c.write(std::as_bytes(std::span(text))).err;
  (void)c.close_write();
  (void)read_all(c);
  ++refused;
}

void dawdles(const place& at, dice&) {
  auto [c, err] = net::dial("tcp", at.http);
  if (err) return;
  for (const char one : std::string_view("GET / HTTP/1.1\r\nX: and so on and so on and so on")) {
    const auto byte = static_cast<std::byte>(one);
    if (c.write({&byte, 1}).err) break;
    sleep(10ms);
  }
  (void)read_all(c);
  ++refused;
}

void asks_for_too_much(const place& at, dice& d) {
  auto [c, err] = net::dial("tcp", at.http);
  if (err) return;
  const std::string text = d.below(2) ? "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"
                                      : "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n";
  (void)c.write(std::as_bytes(std::span(text))).err;
  (void)read_all(c);
  ++refused;
}

void gives_up(const place& at, dice& d) {
  auto [ctx, cancel] = with_timeout(background(), std::chrono::microseconds(d.below(3000)));
  auto [c, err] = net::dial(ctx, "tcp", d.below(2) ? at.http : at.echo);
  if (!err) {
    std::byte buf[10];
    if (d.below(2)) c.set_read_deadline(weft::now() + std::chrono::microseconds(d.below(2000)));
    if (d.below(2)) (void)c.read(ctx, buf).err;
    else (void)c.receive(ctx).err;
  }
  cancel();
  ++given_up;
}

void is_closed_by_another(const place& at, dice& d) {
  auto [c, err] = net::dial("tcp", at.echo);
  if (err) return;
  wait_group two;
  two.go([c = c, when = std::chrono::microseconds(d.below(1000))] {
    sleep(when);
    (void)c.close();
  });
  two.go([c = c] {
    std::byte buf[4000]{};
    while (!c.write(buf).err) {
    }
  });
  std::byte buf[1000];
  const bool lent = d.below(2);
  while (!(lent ? c.receive().err : c.read(buf).err)) {
  }
  two.wait();
  ++given_up;
}

// ---- all of them
// --------------------------------------------------------------------------------------

void serve_echo(const net::listener& l, wait_group& all) {
  for (bool lent = false;; lent = !lent) {
    auto [c, err] = l.accept();
    if (err) return;
    all.go([c = std::move(c), lent] {
      while (lent) {
        const auto [got, e] = c.receive();
        if (e || c.write(got).err) return;
      }
      std::byte buf[4096];
      for (;;) {
        const auto [n, e] = c.read(buf);
        if (e || c.write(std::span(buf).first(n)).err) return;
      }
    });
  }
}

void soak(std::chrono::seconds how_long) {
  auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  auto e = net::listen("tcp", "127.0.0.1:0").unwrap();
  http::mux pages;
  pages.handle("/echo", [](auto& w, const auto& r) { (void)w.write(r.body()); });
  pages.handle("/slow", [](auto& w, const auto& r) {
    (void)select(recv(r.ctx().done()), recv(after(20ms)));
    (void)w.write("late");
  });
  http::limits few;
  few.max_header = 8 << 10;
  few.max_body = 1 << 20;
  few.header_time = header_time;
  http::server server("", pages, few);
  wait_group servers, echoes, clients;
  servers.go([&] { must(server.serve(l) == errc::closed, "the server ends when it is told to"); });
  servers.go([&] { serve_echo(e, echoes); });
  const place at{l.addr().to_string(), e.addr().to_string()};
  using role = void (*)(const place&, dice&);
  constexpr role roles[] = {asks_and_reads, talks,   asks_and_reads,    talks,    vanishes,
                            talks_nonsense, dawdles, asks_for_too_much, gives_up, is_closed_by_another};
  std::uint32_t seed = 1;
  for (int n = 0; n < 4; ++n)
    for (const role plays : roles)
      clients.go([plays, &at, seed = seed++] {
        dice d{seed * 7919};
        while (!over) plays(at, d);
      });
  sleep(how_long);
  over = true;
  clients.wait();
  auto [ctx, cancel] = with_timeout(background(), 30s);
  must(!server.shutdown(ctx), "a server shuts down when its requests have been answered");
  cancel();
  (void)e.close();
  at.client.close_idle();
  servers.wait();
  echoes.wait();
  for (int i = 0; i < 1000 && num_fibers() > 1; ++i) sleep(10ms);  // they have said that they are done before they end
  must(num_fibers() == 1, "no fiber is left");
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (seconds < 1 || seconds > 24 * 3600) {
    std::fprintf(stderr, "usage: %s [SECONDS], 1 to 86400\n", argv[0]);
    return 2;
  }
  alarm(static_cast<unsigned>(seconds) + 120);  // the end, if it hangs
  run(options{.maxprocs = 1}, [] {  // the poller is used: epoll's own descriptors are there from now on
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto c = net::dial("tcp", l.addr().to_string()).unwrap();
    must(!l.accept().err, "somebody comes");
  });
  const std::size_t before = testing::open_descriptors();
  run(options{.maxprocs = 4}, [=] { soak(std::chrono::seconds(seconds)); });
  must(testing::open_descriptors() == before, "no descriptor is left");
  must(served > 0 && echoed > 0 && refused > 0 && vanished > 0 && given_up > 0, "everybody had a turn");
  std::printf("served %ld, echoed %ld, refused %ld, vanished %ld, given up %ld\n", served.load(), echoed.load(),
              refused.load(), vanished.load(), given_up.load());
}
