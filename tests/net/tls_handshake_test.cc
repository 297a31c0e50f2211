// Who may talk to whom, and until when.
#include "tests/net/tls_certificates.h"
#include "tests/support/descriptors.h"

#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

bool says(const std::error_code& e, std::string_view words) { return e.message().find(words) != std::string::npos; }

// The two ends of a handshake between a server with this certificate and a client that expects
// localhost.
both_ends ends_for(const pem& shown, std::string expected = "localhost") {
  const certificates& c = certificates::all();
  tls::config client = c.for_client(), server = c.for_server();
  client.server_name = std::move(expected);
  server.certificate = shown.certificate();
  return shake_hands(tls_pair(client, server));
}

}  // namespace

TEST_CASE("a certificate that is no good is refused, and both sides say why", "[tls]") {
  const certificates& c = certificates::all();
  const pem expired = make_certificate({.from_day = -3, .to_day = -1}, &c.authority);
  const pem too_new = make_certificate({.from_day = 1, .to_day = 2}, &c.authority);
  const pem other_host = make_certificate({.hosts = "DNS:example.org,IP:192.0.2.7"}, &c.authority);
  const pem name_only = make_certificate({.hosts = ""}, &c.authority);
  const pem by_itself = make_certificate({});
  on_each_poller([&] {
    const auto refused = [](const both_ends& e, tls::errc why, std::string_view advice) {
      FACT(e.client == why);
      FACT(e.client == tls::errc::bad_certificate);
      FACT(says(e.client, advice));
      FACT(e.server == tls::errc::refused);
    };
    refused(ends_for(expired), tls::errc::expired, "has expired");
    refused(ends_for(too_new), tls::errc::expired, "not yet valid");
    refused(ends_for(other_host), tls::errc::wrong_host, "server_name");
    refused(ends_for(other_host, "127.0.0.1"), tls::errc::wrong_host, "server_name");
    refused(ends_for(name_only), tls::errc::wrong_host, "server_name");
    refused(ends_for(by_itself), tls::errc::unknown_authority, "config::roots");
    FACT(says(ends_for(by_itself).server, "unknown CA"));
    FACT(!ends_for(certificates::all().server, "127.0.0.1").client);
    FACT(!ends_for(certificates::all().server, "::1").client);
    FACT(!ends_for(certificates::all().server, "localhost.").client);
    for (const std::string& name : {std::string("localhost\0x", 11), std::string("::1\0", 4)})
      FACT(ends_for(certificates::all().server, name).client == net::errc::bad_address);
  });
}

TEST_CASE("a server goes on after clients that refuse it, talk plain text or leave", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("server goes on");
    const certificates& c = certificates::all();
    const std::size_t before = open_descriptors();
    {
      auto l = tls::listen("tcp", "127.0.0.1:0", c.for_server()).unwrap();
      auto ends = make_chan<std::error_code>(10);
      wait_group all;
      all.go([&] {
        for (;;) {
          auto [s, err] = l.accept();
          if (err) break;
          ends.send(s.handshake());
          (void)s.write("welcome");
        }
      });
      const auto end = [&] { return ends.recv().value(); };
      const std::string place = l.addr().to_string();
      tls::config trusting_the_system;
      trusting_the_system.server_name = "localhost";
      FACT(tls::dial("tcp", place, trusting_the_system).err == tls::errc::unknown_authority);
      FACT(end() == tls::errc::refused);
      {
        auto plain = net::dial("tcp", place).unwrap();
        FACT(!plain.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n").err);
        const std::error_code e = end();
        FACT(e == tls::errc::http_request);
        FACT(e == tls::errc::not_tls);
        FACT(says(e, "HTTP"));
      }
      {
        auto plain = net::dial("tcp", place).unwrap();
        FACT(!plain.write("EHLO example.org\r\n").err);
        FACT(end() == tls::errc::not_tls);
      }
      (void)net::dial("tcp", place).unwrap().close();
      FACT(end() == tls::errc::closed_in_handshake);
      auto good = tls::dial("tcp", place, c.for_client()).unwrap();
      FACT(!end());
      FACT(read_up_to(good, 7) == "welcome");
      (void)l.close();
      all.wait();
    }
    // epoll keeps nothing of theirs either.
    for (int i = 0; i < 1000 && open_descriptors() > before + 8; ++i) sleep(1ms);
    FACT(open_descriptors() <= before + 8);
  });
}

TEST_CASE("a client of a server that speaks plain text hears so", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    auto [a, b] = tcp_pair();
    FACT(!b.write("220 ready\r\n").err);
    const std::error_code e = tls::client(a, c.for_client()).handshake();
    FACT(e == tls::errc::not_tls);
    FACT(says(e, "no TLS"));
  });
}

TEST_CASE("a handshake with one who is silent is bounded by deadlines, contexts and config", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("silent peer");
    const certificates& c = certificates::all();
    auto [a, b] = tcp_pair();
    const tls::conn client = tls::client(a, c.for_client());
    client.set_read_deadline(weft::now() + 2ms);
    FACT(client.handshake() == errc::timeout);
    client.set_read_deadline();
    client.set_write_deadline(weft::now() + 2ms);
    FACT(client.write("x").err == errc::timeout);
    client.set_write_deadline();
    {
      auto [ctx, cancel] = with_timeout(background(), 2ms);
      std::byte buf[1];
      FACT(client.read(ctx, buf).err == errc::deadline_exceeded);
      FACT(client.handshake(ctx) == errc::deadline_exceeded);
    }
    // All that has only ended the waits: it still can be.
    const tls::conn server = tls::server(b, c.for_server());
    const both_ends late = shake_hands({client, server});
    FACT(!late.client && !late.server);

    auto [d, e] = tcp_pair();
    tls::config hasty = c.for_server();
    hasty.handshake_time = 3ms;
    const tls::conn impatient = tls::server(e, hasty);
    FACT(impatient.handshake() == errc::timeout);
    FACT(impatient.handshake() == errc::timeout);
    // One that says something occasionally gets no more time for it.
    auto [f, g] = tcp_pair();
    const tls::conn steady = tls::server(g, hasty);
    wait_group dripping;
    dripping.go([&, f = f] {
      const char hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1};
      for (const char byte : hello) {
        if (f.write(std::string_view(&byte, 1)).err) break;
        sleep(2ms);
      }
    });
    FACT(steady.handshake() == errc::timeout);
    dripping.wait();
  });
}

TEST_CASE("a deadline from before the wrapping counts", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("deadlines around a handshake");
    const certificates& c = certificates::all();
    auto [a, b] = tcp_pair();
    a.set_read_deadline(weft::now() + 2ms);
    FACT(tls::client(a, c.for_client()).handshake() == errc::timeout);
  });
}

TEST_CASE("what bounds a handshake bounds nothing after it", "[tls]") {
  in_world(2, [] {
    const hang_guard guard("after the handshake's time");
    const certificates& c = certificates::all();
    tls::config quick = c.for_client();
    quick.handshake_time = 3s;
    const tls_pair_of_conns p = tls_pair(quick, c.for_server());
    const both_ends got = shake_hands(p);
    FACT(!got.client && !got.server);
    wait_group all;
    all.go([&] {
      std::byte buf[1];
      FACT(p.client.read(buf).value == 1);
    });
    sleep(3100ms);
    FACT(!p.server.write("x").err);
    all.wait();
  });
  report_broken_fact();
}

TEST_CASE("client certificates are asked for as the server says", "[tls]") {
  const certificates& c = certificates::all();
  const pem stranger = make_certificate({.name = "stranger", .hosts = ""});
  on_each_poller([&] {
    const auto meet = [&](tls::client_auth wanted, const pem* shown) {
      tls::config client = c.for_client(), server = c.for_server();
      server.roots = client.roots;
      server.clients = wanted;
      if (shown) client.certificate = shown->certificate();
      struct {
        both_ends ends;
        tls::connection_state state;
        std::error_code first_read;
      } got;
      const tls_pair_of_conns p = tls_pair(client, server);
      got.ends = shake_hands(p);
      got.state = p.server.connection_state();
      if (got.ends.server) {
        std::byte buf[1];
        got.first_read = p.client.read(buf).err;
      }
      return got;
    };
    const auto good = meet(tls::client_auth::required, &c.client);
    FACT(!good.ends.client && !good.ends.server);
    FACT(good.state.verified && good.state.peer_subject == "CN=client one");
    const auto without = meet(tls::client_auth::required, nullptr);
    FACT(without.ends.server == tls::errc::no_certificate);
    FACT(without.first_read == tls::errc::refused);
    FACT(says(without.first_read, "config::certificate"));
    const auto bad = meet(tls::client_auth::required, &stranger);
    FACT(bad.ends.server == tls::errc::unknown_authority);
    FACT(bad.first_read == tls::errc::refused);
    const auto free_to_go = meet(tls::client_auth::if_given, nullptr);
    FACT(!free_to_go.ends.server && !free_to_go.state.verified);
    FACT(meet(tls::client_auth::if_given, &stranger).ends.server == tls::errc::bad_certificate);
    const auto not_asked = meet(tls::client_auth::none, &c.client);
    FACT(!not_asked.ends.server && not_asked.state.peer_subject.empty());
  });
}

TEST_CASE("the two agree on a protocol, the server's favourite, or on nothing", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    const auto meet = [&](std::vector<std::string> client_knows, std::vector<std::string> server_knows) {
      tls::config client = c.for_client(), server = c.for_server();
      client.alpn = std::move(client_knows);
      server.alpn = std::move(server_knows);
      const tls_pair_of_conns p = tls_pair(client, server);
      const both_ends e = shake_hands(p);
      FACT(p.client.connection_state().alpn == p.server.connection_state().alpn);
      if (e.client) {
        FACT(e.client == tls::errc::no_common);
        FACT(e.server == tls::errc::no_common);
        return std::string("none");
      }
      return p.client.connection_state().alpn;
    };
    FACT(meet({"a", "b"}, {"b", "a"}) == "b");
    FACT(meet({"a", "http/1.1"}, {"http/1.1"}) == "http/1.1");
    FACT(meet({"a"}, {"b"}) == "none");
    FACT(meet({"a"}, {}).empty());
    FACT(meet({}, {"b"}).empty());
  });
}

TEST_CASE("whoever skips the check talks to anybody, and is not told that it is verified", "[tls]") {
  const pem by_itself = make_certificate({});
  on_each_poller([&] {
    tls::config server = certificates::all().for_server();
    server.certificate = by_itself.certificate();
    const tls_pair_of_conns p = tls_pair({.insecure_skip_verify = true}, server);
    const both_ends e = shake_hands(p);
    FACT(!e.client && !e.server);
    FACT(!p.client.connection_state().verified);
    FACT(p.client.connection_state().peer_subject == "CN=localhost");
    // A client that trusts just this certificate needs not skip the check.
    tls::config trusting = certificates::all().for_client();
    trusting.roots = tls::parse_roots(by_itself.cert).unwrap();
    FACT(!shake_hands(tls_pair(trusting, server)).client);
  });
}

TEST_CASE("TLS goes over sockets with a path too, and over no packets", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    const temp_tree dir;
    const std::string path = dir.root() + "/socket";
    auto l = tls::listen("unix", path, c.for_server()).unwrap();
    wait_group all;
    all.go([&] { (void)l.accept().unwrap().write("x"); });
    auto [s, err] = tls::dial("unix", path, c.for_client());
    FACT(!err);
    FACT(read_up_to(s, 1) == "x");
    all.wait();
    FACT(tls::listen("unixpacket", path + "2", c.for_server()).err == net::errc::unknown_network);
    FACT(tls::dial("udp", "127.0.0.1:9", c.for_client()).err == net::errc::unknown_network);
  });
}

TEST_CASE("a config that cannot work is a panic", "[tls]") {
  const net::conn none;
  const tls::config nobody;
  CHECK_THROWS_AS(tls::client(none, nobody), panic);
  CHECK_THROWS_AS(tls::server(none, nobody), panic);
  CHECK_THROWS_AS(tls::listen("tcp", "127.0.0.1:0", nobody), panic);
  CHECK_THROWS_AS(tls::listener(net::listener(), nobody), panic);
  CHECK_THROWS_AS(tls::client(none, {.server_name = "x", .alpn = {""}}), panic);
  CHECK(tls::client(none, {.server_name = "x"}).handshake() == errc::closed);
}

TEST_CASE("certificates come from files and text; what is none is refused", "[tls]") {
  const certificates& c = certificates::all();
  temp_tree dir;
  dir.file("/cert.pem", c.server.cert + c.authority.cert)
      .file("/key.pem", c.server.key)
      .file("/ca.pem", c.authority.cert);
  const std::string at = dir.root();
  CHECK(tls::load_certificate(at + "/cert.pem", at + "/key.pem").value);
  CHECK(!tls::load_roots(at + "/ca.pem").err);
  CHECK(tls::load_certificate(at + "/none", at + "/key.pem").err == std::errc::no_such_file_or_directory);
  CHECK(tls::load_roots(at + "/none").err == std::errc::no_such_file_or_directory);
  const std::error_code e = tls::parse_certificate(c.server.cert, c.client.key).err;
  CHECK(e == tls::errc::bad_pem);
  CHECK(says(e, "belong together"));
  CHECK(tls::parse_certificate(c.server.cert, locked_key(c.server)).err == tls::errc::bad_pem);
  CHECK(tls::parse_certificate("nonsense", c.server.key).err == tls::errc::bad_pem);
  CHECK(tls::parse_certificate(c.server.cert.substr(0, 100), c.server.key).err == tls::errc::bad_pem);
  CHECK(tls::parse_roots("").err == tls::errc::bad_pem);
  CHECK(tls::parse_roots(c.authority.cert + c.server.cert.substr(0, 200)).err == tls::errc::bad_pem);
}
