#include "tests/net/any_stream.h"
#include "tests/net/tls_certificates.h"

#include <malloc.h>

#include <atomic>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

tls_pair_of_conns agreed_pair() {
  tls_pair_of_conns p = tls_pair();
  const both_ends got = shake_hands(p);
  FACT(!got.client && !got.server);
  return p;
}

std::string noise(std::size_t n, unsigned seed) {
  std::string data(n, '\0');
  std::mt19937 random(seed);
  for (char& c : data) c = static_cast<char>(random());
  return data;
}

// Carries bytes between two connections until one ends, and hands each batch to `look` first.
template <class Look>
void carry(const net::conn& from, const net::conn& to, Look look) {
  std::byte buf[20'000];
  for (;;) {
    const auto [n, err] = from.read(buf);
    if (err) break;
    look(std::span(buf, n));
    if (to.write({buf, n}).err) break;
  }
  (void)to.close_write();
}

}  // namespace

TEST_CASE("over TLS what one end writes the other reads, and the first read or write shakes hands", "[tls]") {
  on_each_poller([] {
    auto [a, b] = tls_pair();
    FACT(!a.connection_state().complete);
    wait_group all;
    all.go([&, b = b] {
      FACT(read_up_to(b, 4) == "ping");
      FACT(b.write("pong").value == 4);
    });
    FACT(a.write("ping").value == 4);
    FACT(read_up_to(a, 4) == "pong");
    all.wait();
    const auto s = a.connection_state();
    FACT(s.complete && s.verified);
    FACT(s.version == "TLSv1.3");
    FACT(s.cipher.starts_with("TLS_"));
    FACT(s.peer_subject == "CN=localhost");
    FACT(s.alpn.empty());
    FACT(b.connection_state().server_name == "localhost");
    FACT(!b.connection_state().verified);
    FACT(a.local_addr() == b.remote_addr());
    FACT(a.read({}).value == 0);
    FACT(!a.write("").err);
  });
}

TEST_CASE("a megabyte goes each way at the same time", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("a megabyte each way");
    auto [a, b] = tls_pair();
    const std::string there = noise(1 << 20, 1), back = noise(1 << 20, 2);
    wait_group all;
    all.go([&, a = a] {
      for (std::size_t at = 0; at < there.size(); at += 1 << 12)
        FACT(a.write(std::string_view(there).substr(at, 1 << 12)).value == 1 << 12);
    });
    all.go([&, b = b] { FACT(b.write(back).value == back.size()); });
    all.go([&, a = a] { FACT(read_up_to(a, back.size()) == back); });
    all.go([&, b = b] { FACT(read_up_to(b, there.size()) == there); });
    all.wait();
  });
}

// Servers have many connections that wait for a request, after one that was large.
TEST_CASE("a connection whose reader waits holds no buffer of what it has carried", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("connections at rest");
    constexpr int pairs = 20;
    const std::string large = noise(100'000, 3);
    std::vector<tls::conn> ends;
    for (int i = 0; i < pairs; ++i) {
      const auto [a, b] = agreed_pair();
      for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {  // tickets come with the first bytes
        FACT(from.write("x").value == 1);
        FACT(read_up_to(to, 1) == "x");
        ends.push_back(from);
      }
    }
    wait_group readers, writers;
    std::atomic<int> at_rest = 0;
    const auto before = static_cast<std::ptrdiff_t>(mallinfo2().uordblks);
    for (const tls::conn& c : ends) {
      writers.go([&, c] { FACT(c.write(large).value == large.size()); });
      readers.go([&, c] {
        FACT(read_up_to(c, large.size()) == large);
        ++at_rest;
        std::byte more[1];
        FACT(c.read(more).err);  // closed here or by the peer
      });
    }
    writers.wait();
    // A sanitizer's allocator is not seen by mallinfo2. The guard ends a wait for what never comes.
    const auto held = [&] { return static_cast<std::ptrdiff_t>(mallinfo2().uordblks) - before; };
    while (at_rest < 2 * pairs || held() > 2 * pairs * (8 << 10)) sleep(1ms);
    for (const tls::conn& c : ends) FACT(!c.close());
    readers.wait();
  });
}

TEST_CASE("a listener's connections shake hands side by side", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("many connections");
    const certificates& c = certificates::all();
    auto l = tls::listen("tcp", "127.0.0.1:0", c.for_server()).unwrap();
    auto silent = net::dial("tcp", l.addr().to_string()).unwrap();  // holds up no one
    wait_group all;
    all.go([&] {
      for (;;) {
        auto [s, err] = l.accept();
        if (err) break;
        all.go([s = s] { (void)s.write(read_up_to(s, 5)); });
      }
    });
    constexpr int many = sanitized ? 10 : 50;
    tls::config how = c.for_client();
    how.server_name.clear();  // the address that is dialled is in the certificate
    wait_group clients;
    for (int i = 0; i < many; ++i)
      clients.go([&] {
        auto [s, err] = tls::dial("tcp", l.addr().to_string(), how);
        FACT(!err);
        FACT(!s.write("hello").err);
        FACT(read_up_to(s, 5) == "hello");
      });
    clients.wait();
    FACT(!l.close());
    FACT(!silent.close());
    all.wait();
  });
}

TEST_CASE("after close_write the peer reads to the end, and can answer", "[tls]") {
  on_each_poller([] {
    auto [a, b] = agreed_pair();
    FACT(!a.write("last words").err);
    FACT(!a.close_write());
    FACT(a.write("more").err == std::errc::broken_pipe);
    FACT(read_up_to(b, 10) == "last words");
    std::byte one[1];
    FACT(b.read(one).err == errc::eof);
    FACT(b.read(one).err == errc::eof);
    FACT(!b.write("answer").err);
    FACT(!b.close());
    FACT(read_up_to(a, 6) == "answer");
    FACT(a.read(one).err == errc::eof);
  });
}

TEST_CASE("the last handle says goodbye; a stream without one is cut off", "[tls]") {
  on_each_poller([] {
    std::byte one[1];
    {
      auto [a, b] = agreed_pair();
      const tls::conn copy = a;
      a = {};
      FACT(!copy.write("x").err);
      FACT(read_up_to(b, 1) == "x");
    }
    auto [a, b] = agreed_pair();
    a = {};
    FACT(b.read(one).err == errc::eof);
    auto [c, d] = agreed_pair();
    FACT(!c.write("half").err);
    FACT(!c.net_conn().close());
    FACT(read_up_to(d, 4) == "half");
    const std::error_code e = d.read(one).err;
    FACT(e == tls::errc::unexpected_eof);
    FACT(e != errc::eof);
    FACT(e.message().find("data may be missing") != std::string::npos);
  });
}

TEST_CASE("close ends reads, writes and handshakes that wait", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("close ends waits");
    auto [a, b] = agreed_pair();
    auto [c, d] = tls_pair();
    std::error_code reading, writing, shaking, queued;
    wait_group all;
    all.go([&, a = a] {
      std::byte own[8];
      reading = a.read(own).err;
    });
    const std::string much(16 << 20, 'x');
    all.go([&, a = a] { writing = a.write(much).err; });
    all.go([&, c = c] { shaking = c.handshake(); });
    all.go([&, c = c] { queued = c.write("x").err; });
    std::byte buf[1];
    FACT(b.read(buf).value == 1);  // it is being written
    sleep(5ms);
    FACT(!a.close());
    FACT(!c.close());
    all.wait();
    FACT(reading == errc::closed);
    FACT(writing == errc::closed);
    FACT(shaking == errc::closed);
    FACT(queued == errc::closed);
    FACT(a.read(buf).err == errc::closed);
    FACT(a.write("x").err == errc::closed);
    FACT(a.close() == errc::closed);
    FACT(!a);
    // What was under way when it was closed has no proper end.
    while (!(reading = b.read(buf).err)) {
    }
    FACT(reading != errc::eof);
  });
}

TEST_CASE("a connection that is none is closed", "[tls]") {
  const tls::conn none;
  std::byte buf[1];
  CHECK(none.read(buf).err == errc::closed);
  CHECK(none.write("x").err == errc::closed);
  CHECK(none.handshake() == errc::closed);
  CHECK(none.close() == errc::closed);
  CHECK(none.close_write() == errc::closed);
  CHECK(!none.connection_state().complete);
  none.set_deadline();
  CHECK(none.remote_addr().network().empty());
}

TEST_CASE("a deadline or a context ends a read, and nothing is lost by it", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("ends of a read");
    auto [a, b] = agreed_pair();
    std::byte buf[8];
    a.set_read_deadline(weft::now() + 2ms);
    FACT(a.read(buf).err == errc::timeout);
    FACT(!b.write("ab").err);
    FACT(a.read(buf).err == errc::timeout);
    a.set_read_deadline();
    FACT(a.read(std::span(buf, 1)).value == 1);
    a.set_deadline(weft::now());  // also what is decrypted already is late
    FACT(a.read(buf).err == errc::timeout);
    FACT(a.write("x").err == errc::timeout);
    a.set_deadline();
    FACT(a.write("x").value == 1);  // that one had not begun
    FACT(a.read(buf).value == 1);
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(a.read(ctx, buf).err == errc::deadline_exceeded);
    FACT(!b.write("c").err);
    FACT(a.read(ctx, buf).err == errc::deadline_exceeded);
    FACT(a.write(ctx, bytes("x")).err == errc::deadline_exceeded);
    FACT(a.read(buf).value == 1);
  });
}

TEST_CASE("a context ends a read of a TLS stream and nothing is lost by it", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("a context ends a read");
    const auto [a, b] = agreed_pair();
    check_context_ends_read(a, b);
  });
}

TEST_CASE("a cancel that meets the data loses none of it over TLS", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("cancel against data");
    const auto [a, b] = agreed_pair();
    check_cancel_meets_data(a, b);
  });
}

TEST_CASE("a write that a deadline cuts off is the end of the writing", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("cut-off write");
    auto [a, b] = agreed_pair();
    const std::string much(32 << 20, 'x');
    wait_group all;
    all.go([&, a = a, b = b] {
      std::byte one[1];
      FACT(b.read(one).value == 1);  // it is being written
      a.set_write_deadline(weft::now() + 1ms);
    });
    const auto [n, err] = a.write(much);
    all.wait();
    FACT(err == errc::timeout);
    FACT(n < 32 << 20);
    a.set_write_deadline();
    FACT(a.write("x").err == errc::timeout);
    FACT(!b.write("still").err);
    FACT(read_up_to(a, 5) == "still");
    FACT(!a.close());
    std::byte buf[4096];
    std::error_code e;
    while (!(e = b.read(buf).err)) {
    }
    FACT(e != errc::eof);  // it must not look complete
  });
}

TEST_CASE("changed bytes are noticed by both", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("changed bytes");
    const certificates& c = certificates::all();
    auto [a, left] = tcp_pair();
    auto [right, b] = tcp_pair();
    const tls::conn one = tls::client(a, c.for_client()), two = tls::server(b, c.for_server());
    std::atomic<bool> spoil{false};
    wait_group all;
    all.go([&, left = left, right = right] {
      carry(left, right, [&](std::span<std::byte> what) {
        if (spoil) what.back() ^= std::byte{1};
      });
    });
    all.go([&, left = left, right = right] { carry(right, left, [](std::span<std::byte>) {}); });
    const both_ends got = shake_hands({one, two});
    FACT(!got.client && !got.server);
    spoil = true;
    FACT(!one.write("money").err);
    std::byte buf[8];
    const std::error_code e = two.read(buf).err;
    FACT(e.category() == tls::tls_category());
    FACT(two.read(buf).err == e);
    FACT(two.write("x").err == e);
    const std::error_code told = one.read(buf).err;
    FACT(told == tls::errc::refused);
    FACT(told.message().find("bad record mac") != std::string::npos);
    (void)one.close();
    (void)two.close();
    all.wait();
  });
}

TEST_CASE("plain threads speak TLS, with and without a world", "[tls]") {
  const auto talk = [] {
    const certificates& c = certificates::all();
    auto l = tls::listen("tcp", "127.0.0.1:0", c.for_server()).unwrap();
    std::thread server([l] {
      auto s = l.accept().unwrap();
      (void)s.write(read_up_to(s, 4)).err;
      std::byte buf[1];
      FACT(s.read(buf).err == errc::eof);
    });
    {
      auto s = tls::dial("tcp", l.addr().to_string(), c.for_client()).unwrap();
      FACT(!s.write("ping").err);
      FACT(read_up_to(s, 4) == "ping");
      s.set_read_deadline(weft::now() + 2ms);
      std::byte buf[1];
      FACT(s.read(buf).err == errc::timeout);
    }
    server.join();
    auto silent = net::listen("tcp", "127.0.0.1:0").unwrap();
    tls::config hasty = c.for_client();
    hasty.handshake_time = 3ms;
    FACT(tls::dial("tcp", silent.addr().to_string(), hasty).err == errc::timeout);
  };
  SECTION("without") {
    talk();
    report_broken_fact();
  }
  SECTION("a thread on each side of a world") {
    on_each_poller([&] { blocking(talk); });
  }
}
