#include "tests/net/on_each_poller.h"
#include "tests/support/temp_tree.h"

#include <unistd.h>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("datagrams arrive with their sender", "[net][NET-61]") {
  on_each_poller([] {
    for (const char* at : {"127.0.0.1:0", "[::1]:0"}) {
      auto made = net::listen_packet("udp", at);
      if (made.err == std::errc::address_not_available || made.err == std::errc::address_family_not_supported) continue;
      auto a = std::move(made).unwrap();
      auto b = net::listen_packet("udp", at).unwrap();
      FACT(a.local_addr().network() == "udp");
      std::byte buf[100];
      for (int i = 0; i < 20; ++i) {
        FACT(a.write_to(bytes("12345678"), b.local_addr()).value == 8);
        const auto [got, err] = b.read_from(buf);
        REQUIRE(!err);
        FACT(got.n == 8);
        FACT(got.from == a.local_addr());
      }
    }
  });
}

TEST_CASE("an empty datagram is a datagram", "[net][NET-51][NET-52]") {
  on_each_poller([] {
    auto server = net::listen_packet("udp", "127.0.0.1:0").unwrap();
    auto c = net::dial("udp", server.local_addr().to_string()).unwrap();
    FACT(!c.write(std::span<const std::byte>()).err);
    std::byte buf[10];
    auto [got, err] = server.read_from(buf);
    FACT(!err);
    FACT(got.n == 0);
    FACT(!server.write_to({}, got.from).err);
    const auto r = c.read(buf);
    FACT(!r.err);
    FACT(r.value == 0);
    FACT(!c.write("cut off").err);
    FACT(server.read_from({}).value.n == 0);
  });
}

TEST_CASE("what is longer than the buffer is cut off", "[net][NET-53]") {
  on_each_poller([] {
    auto server = net::listen_packet("udp", "127.0.0.1:0").unwrap();
    auto c = net::dial("udp", server.local_addr().to_string()).unwrap();
    FACT(!c.write("0123456789").err);
    FACT(!c.write("next").err);
    std::byte four[4];
    FACT(server.read_from(four).value.n == 4);
    std::byte buf[10];
    FACT(server.read_from(buf).value.n == 4);
  });
}

TEST_CASE("a datagram without an address to go to is an error", "[net][NET-55]") {
  on_each_poller([] {
    auto p = net::listen_packet("udp", "127.0.0.1:0").unwrap();
    FACT(p.write_to(bytes("x"), net::endpoint()).err == std::errc::destination_address_required);
  });
}

TEST_CASE("deadlines, contexts and close end a wait for a datagram", "[net][NET-18][NET-03]") {
  on_each_poller([] {
    const hang_guard guard("waiting for a datagram");
    auto p = net::listen_packet("udp", "127.0.0.1:0").unwrap();
    std::byte buf[10];
    p.set_read_deadline(weft::now() + 2ms);
    FACT(p.read_from(buf).err == errc::timeout);
    FACT(!p.write_to(bytes("x"), p.local_addr()).err);
    FACT(p.read_from(buf).err == errc::timeout);
    p.set_read_deadline();
    FACT(p.read_from(buf).value.n == 1);
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(p.read_from(ctx, buf).err == errc::deadline_exceeded);
    wait_group all;
    all.go([p] {
      std::byte own[10];
      FACT(p.read_from(own).err == errc::closed);
    });
    sleep(1ms);
    FACT(!p.close());
    all.wait();
    FACT(p.read_from(buf).err == errc::closed);
    FACT(p.write_to(bytes("x"), p.local_addr()).err == errc::closed);
  });
}

TEST_CASE("Unix datagrams have paths, and names that the kernel finds", "[net][NET-58]") {
  temp_tree tree;
  on_each_poller([&] {
    auto server = net::listen_packet("unixgram", tree.root() + "/server").unwrap();
    auto named = net::listen_packet("unixgram", "").unwrap();
    FACT(named.local_addr().to_string().starts_with("@"));
    FACT(!named.write_to(bytes("hello"), server.local_addr()).err);
    std::byte buf[10];
    const auto got = server.read_from(buf).value;
    FACT(got.n == 5);
    FACT(got.from == named.local_addr());
    FACT(!server.write_to(bytes("answer"), got.from).err);
    FACT(named.read_from(buf).value.n == 6);
    auto c = net::dial("unixgram", tree.root() + "/server").unwrap();
    FACT(!c.write("x").err);
    FACT(server.read_from(buf).value.n == 1);
  });
}
