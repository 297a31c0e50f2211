// conn::receive: what conn_test.cc and deadline_test.cc ask of read, and whose the memory is.
#include <fmt/format.h>

#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "tests/net/on_each_poller.h"
#include "tests/support/memory.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

void echo(const net::conn& c) {
  while (auto got = c.receive())
    if (c.write(got.value).err) return;
}

}  // namespace

TEST_CASE("what is received may be sent on and changed", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    std::byte back[4];
    for (int i = 0; i < 200; ++i) {
      FACT(!a.write("ping").err);
      auto [got, err] = b.receive();
      REQUIRE(!err);
      FACT(got.text() == "ping");
      FACT(got.size() == 4);
      got.bytes()[1] = std::byte{'o'};
      FACT(!b.write(got).err);
      FACT(a.read(back).value == 4);
      FACT(std::memcmp(back, "pong", 4) == 0);
    }
    FACT(!a.write("last").err);
    FACT(!a.close());
    FACT(b.receive().value.text() == "last");
    FACT(b.receive().err == errc::eof);
    FACT(b.receive().value.empty());
  });
}

TEST_CASE("a stream arrives in pieces of at most so many bytes, all and in order", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    std::string data(1 << 20, '\0'), all;
    std::mt19937 random(1);
    for (char& c : data) c = static_cast<char>(random());
    wait_group writer;
    writer.go([&, a = a] {
      FACT(!a.write(data).err);
      FACT(!a.close());
    });
    while (auto got = b.receive()) {
      FACT(!got.value.empty() && got.value.size() <= net::received::most);
      all += got.value.text();
    }
    FACT(all == data);
    writer.wait();
  });
}

TEST_CASE("messages that are smaller and larger than what a fiber has room for arrive whole", "[net][received]") {
  on_each_poller([] {
    for (const char* network : {"tcp", "unix", "unixpacket"}) {
      const temp_tree tree;
      auto l = net::listen(network, network == std::string_view("tcp") ? "127.0.0.1:0" : tree.root() + "/s").unwrap();
      auto a = net::dial(network, l.addr().to_string()).unwrap();
      auto b = l.accept().unwrap();
      // Around a kilobyte, which is the room; then each after each, for what came last decides how
      // the next is awaited.
      for (const std::size_t size :
           {1UL, 1023UL, 1024UL, 1025UL, 4095UL, 4096UL, 1UL, 1UL, 4096UL, 1024UL, 1024UL, 5UL}) {
        std::string sent(size, 'a');
        for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>('a' + i % 26);
        FACT(!a.write(sent).err);
        const auto got = b.receive();
        REQUIRE(!got.err);
        std::string all(got.value.text());
        while (all.size() < size) all += b.receive().unwrap().text();  // a stream comes in pieces
        FACT(all == sent);
        if (network == std::string_view("unixpacket")) FACT(got.value.size() == size);
      }
      FACT(!a.close());
      FACT(b.receive().err == errc::eof);
    }
  });
}

TEST_CASE("what is kept stays as it came, however much that is", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const int n = 1500;  // more than any cache would keep
    for (int round = 0; round < 2; ++round) {
      std::deque<net::received> kept;
      for (int i = 0; i < n; ++i) {
        FACT(!a.write(std::to_string(i)).err);
        auto [got, err] = b.receive();
        REQUIRE(!err);
        kept.push_back(std::move(got));
      }
      for (int i = 0; i < n; ++i) FACT(kept[static_cast<std::size_t>(i)].text() == std::to_string(i));
    }
  });
}

TEST_CASE("what is kept outlives the connection, the fiber and the world", "[net][received]") {
  net::received kept;
  on_each_poller([&] {
    auto [a, b] = tcp_pair();
    FACT(!a.write("keep this").err);
    wait_group one;
    one.go([&, b = std::move(b)] {
      kept = b.receive().unwrap();
      net::received& same = kept;
      kept = std::move(same);
    });
    one.wait();
  });
  CHECK(kept.text() == "keep this");
  in_world(1, [] {});
  CHECK(kept.text() == "keep this");
}

TEST_CASE("what is received moves with its bytes, few or many", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    for (const std::size_t size : {3UL, 1023UL, 2000UL, 4096UL}) {
      FACT(!a.write(std::string(size, 'm')).err);
      net::received first = b.receive().unwrap();
      const std::string all(first.text());
      net::received second(std::move(first));
      FACT(first.empty() && first.text().empty());
      FACT(second.text() == all);
      net::received third;
      third = std::move(second);
      FACT(second.empty());
      FACT(third.text() == all);
      third = net::received();
      FACT(third.empty());
      const std::size_t left = size - all.size();  // a stream comes in pieces
      FACT(read_up_to(b, left).size() == left);
    }
  });
}

TEST_CASE("memory is given back by any thread, and used again", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const int n = scaled(2000);
    const long before = resident_pages();
    auto given = make_chan<net::received>(1);
    std::thread taker([&] {
      for (int i = 0; i < n; ++i) (void)given.recv();
    });
    for (int i = 0; i < n; ++i) {
      FACT(!a.write("x").err);
      auto [got, err] = b.receive();
      REQUIRE(!err);
      given.send(std::move(got));
    }
    blocking([&] { taker.join(); });
    // Sanitizers keep more.
    if (!sanitized) FACT(resident_pages() - before < 64 * maxprocs() + 300);
  });
}

TEST_CASE("plain threads receive too", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    blocking([&] {
      std::thread peer([&, a = a] {
        std::this_thread::sleep_for(5ms);
        FACT(!a.write("from a thread").err);
      });
      FACT(b.receive().value.text() == "from a thread");
      peer.join();
      b.set_read_deadline(now() + 1ms);
      FACT(b.receive().err == errc::timeout);
      b.set_read_deadline();
    });
    FACT(!a.write("and to a fiber").err);
    FACT(b.receive().value.text() == "and to a fiber");
  });
}

TEST_CASE("deadline, context and close end a receive, and nothing is lost", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    b.set_read_deadline(now() + 2ms);
    FACT(b.receive().err == errc::timeout);
    FACT(b.receive().err == errc::timeout);
    b.set_read_deadline();
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(b.receive(ctx).err == errc::deadline_exceeded);
    FACT(!a.write("still here").err);
    FACT(b.receive(ctx).err == errc::deadline_exceeded);
    FACT(b.receive(background()).value.text() == "still here");
    wait_group closer;
    closer.go([b = b] {
      sleep(2ms);
      FACT(!b.close());
    });
    FACT(b.receive().err == errc::closed);
    FACT(b.receive().err == errc::closed);
    closer.wait();
    FACT(net::conn().receive().err == errc::closed);
  });
}

TEST_CASE("of receives that are canceled all the time no byte is lost", "[net][received]") {
  on_each_poller([] {
    auto [a, b] = tcp_pair();
    const int n = scaled(2000);
    wait_group writer;
    writer.go([&, a = a] {
      for (int i = 0; i < n; ++i) {
        FACT(!a.write(std::string_view("0123456789").substr(static_cast<std::size_t>(i % 10), 1)).err);
        if (i % 3 == 0) sleep(20us);
      }
      FACT(!a.close());
    });
    std::string all;
    int over = 0;
    for (;;) {
      auto [ctx, cancel] = with_timeout(background(), std::chrono::microseconds(over % 60));
      auto [got, err] = b.receive(ctx);
      if (err == errc::eof) break;
      if (err) {
        FACT(err == errc::deadline_exceeded);
        ++over;
      }
      all += got.text();
    }
    FACT(static_cast<int>(all.size()) == n);
    for (int i = 0; i < n; ++i) FACT(all[static_cast<std::size_t>(i)] == '0' + i % 10);
    writer.wait();
  });
}

TEST_CASE("a crowd that has something to say at once is heard to the end", "[net][received]") {
  on_each_poller([] {
    const int n = sanitized ? 100 : 300, rounds = 5;
    std::vector<net::conn> clients;
    wait_group servers;
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    for (int i = 0; i < n; ++i) {
      clients.push_back(net::dial("tcp", l.addr().to_string()).unwrap());
      servers.go([c = l.accept().unwrap()] { echo(c); });
    }
    for (int r = 0; r < rounds; ++r) {
      for (int i = 0; i < n; ++i) FACT(!clients[static_cast<std::size_t>(i)].write(fmt::format("{:6}", i)).err);
      for (int i = 0; i < n; ++i) FACT(read_up_to(clients[static_cast<std::size_t>(i)], 6) == fmt::format("{:6}", i));
    }
    clients.clear();
    servers.wait();
  });
}

TEST_CASE("datagrams are received one by one, the empty one too", "[net][received]") {
  on_each_poller([] {
    auto server = net::listen_packet("udp", "127.0.0.1:0").unwrap();
    auto c = net::dial("udp", server.local_addr().to_string()).unwrap();
    FACT(!c.write("hello").err);
    std::byte buf[10];
    const auto from = server.read_from(buf).value.from;
    for (int i = 0; i < 100; ++i) {
      FACT(!server.write_to({}, from).err);
      FACT(!server.write_to(bytes("one"), from).err);
      const auto [none, e1] = c.receive();
      FACT(!e1);
      FACT(none.empty());
      FACT(c.receive().value.text() == "one");
    }
  });
}

TEST_CASE("a connection that is silent holds no buffer", "[net][received]") {
  if (sanitized) return;  // stacks are larger then
  on_each_poller([] {
    if (maxprocs() > 2) return;  // what that many rings take would hide a page for each connection
    constexpr int n = 400;
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    std::vector<net::conn> clients, served;
    for (int i = 0; i < n; ++i) {
      clients.push_back(net::dial("tcp", l.addr().to_string()).unwrap());
      served.push_back(l.accept().unwrap());
    }
    wait_group servers;
    const long before = resident_pages();
    for (const net::conn& c : served) servers.go([c = c] { echo(c); });
    for (const net::conn& c : clients) {
      FACT(!c.write("x").err);
      FACT(read_up_to(c, 1) == "x");
    }
    // A page of stack for each, and what the allocator and buffers take in addition.
    FACT(resident_pages() - before < n + 64 * maxprocs() + n / 2);
    clients.clear();
    servers.wait();
  });
}
