// Certificates by name, ciphers, and sessions that are resumed.
#include <openssl/ssl.h>

#include "tests/net/tls_certificates.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct met {
  both_ends ends;
  tls::connection_state client, server;
};

// A handshake, and a byte in each direction: tickets come with it.
met meet(const tls::config& client, const tls::config& server) {
  met m;
  const tls_pair_of_conns p = tls_pair(client, server);
  m.ends = shake_hands(p);
  if (m.ends.client || m.ends.server) return m;
  wait_group other;
  other.go([&] {
    std::byte one[1];
    (void)p.server.read(one).err;
    (void)p.server.write("s").err;
  });
  (void)p.client.write("c").err;
  std::byte one[1];
  FACT(!p.client.read(one).err);
  other.wait();
  m.client = p.client.connection_state();
  m.server = p.server.connection_state();
  return m;
}

// The subject of what a server shows to a client that asks for `name` and checks nothing.
std::string shown_to(const std::string& name, const tls::config& server) {
  return meet({.server_name = name, .insecure_skip_verify = true}, server).client.peer_subject;
}

}  // namespace

TEST_CASE("a server shows the certificate for the name that its client asks for", "[tls]") {
  const pem a = make_certificate({.name = "a", .hosts = "DNS:a.example,DNS:*.wild.example"});
  const pem b = make_certificate({.name = "b", .hosts = "DNS:b.example"});
  const pem rest = make_certificate({.name = "rest", .hosts = "DNS:rest.example"});
  on_each_poller([&] {
    tls::certificate_store store;
    store.set({a.certificate(), b.certificate()});
    tls::config server;
    server.certificates = store;
    FACT(shown_to("a.example", server) == "CN=a");
    FACT(shown_to("B.Example", server) == "CN=b");
    FACT(shown_to("x.wild.example", server) == "CN=a");
    FACT(shown_to("unknown.example", server) == "CN=a");
    FACT(shown_to("", server) == "CN=a");
    server.certificate = rest.certificate();
    FACT(shown_to("b.example", server) == "CN=b");
    FACT(shown_to("unknown.example", server) == "CN=rest");
    store.set({rest.certificate()});  // while it serves
    FACT(shown_to("b.example", server) == "CN=rest");
  });
  tls::config nobody;
  nobody.certificates = tls::certificate_store();
  CHECK_THROWS_AS(tls::server({}, nobody), panic);
  CHECK_THROWS_AS(tls::certificate_store().set({tls::certificate()}), panic);
}

TEST_CASE("the two agree on a cipher of the config, with forward secrecy", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    tls::config client = c.for_client(), server = c.for_server();
    server.ciphers = {"TLS_CHACHA20_POLY1305_SHA256"};
    FACT(meet(client, server).client.cipher == "TLS_CHACHA20_POLY1305_SHA256");
    client.ciphers = {"TLS_AES_128_GCM_SHA256"};
    FACT(meet(client, server).ends.client == tls::errc::no_common);
    for (const char* name :
         {"AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256", "ADH-AES128-GCM-SHA256", "NULL-SHA256", "nonsense",
          "ECDHE+AESGCM", "ALL", "", "TLS_NONSENSE", "ECDHE-ECDSA-AES128-GCM-SHA256:ALL"}) {
      client.ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256", name};
      const tls_pair_of_conns p = tls_pair(client, c.for_server());
      FACT(p.client.handshake() == std::errc::invalid_argument);
    }
  });
}

TEST_CASE("a session is resumed where both sides allow it, and shows it", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    {
      tls::config client = c.for_client(), server = c.for_server();
      client.sessions = tls::session_cache();
      server.tickets = tls::ticket_keys();
      FACT(!meet(client, server).client.resumed);
      const met again = meet(client, server);
      FACT(again.client.resumed && again.server.resumed);
      FACT(again.client.verified && again.client.peer_subject == "CN=localhost");
      tls::config twin = c.for_server();  // another server with the same keys
      twin.tickets = server.tickets;
      FACT(meet(client, twin).client.resumed);
    }
    tls::config client = c.for_client(), server = c.for_server();
    FACT(!meet(client, server).client.resumed && !meet(client, server).client.resumed);
    client.sessions = tls::session_cache();
    FACT(!meet(client, server).client.resumed && !meet(client, server).client.resumed);
  });
}

TEST_CASE("a session is not resumed by another name, trust, key or where a client must show who it is", "[tls]") {
  on_each_poller([] {
    const certificates& c = certificates::all();
    tls::config client = c.for_client(), server = c.for_server();
    client.sessions = tls::session_cache();
    server.tickets = tls::ticket_keys();
    const auto fill = [&] { (void)meet(client, server); };

    fill();
    tls::config by_address = client;
    by_address.server_name = "127.0.0.1";
    FACT(!meet(by_address, server).client.resumed);

    fill();
    tls::config strict = client;  // another authority
    strict.roots = tls::parse_roots(make_certificate({.name = "other", .is_authority = true}).cert).unwrap();
    FACT(meet(strict, server).ends.client == tls::errc::unknown_authority);

    tls::config careless = client;
    careless.insecure_skip_verify = true;
    fill();
    FACT(!meet(careless, server).client.resumed);

    fill();
    tls::config asking = server;
    asking.roots = client.roots;
    asking.clients = tls::client_auth::required;
    FACT(meet(client, asking).ends.server == tls::errc::no_certificate);

    fill();
    server.tickets->set({tls::ticket_keys::key{1}});
    FACT(!meet(client, server).client.resumed);
    fill();
    server.tickets->set({tls::ticket_keys::key{2}, tls::ticket_keys::key{1}});  // rotated: the old one still opens
    FACT(meet(client, server).client.resumed);
    server.tickets->set({});
    FACT(!meet(client, server).client.resumed);
    FACT(!meet(client, server).client.resumed);
  });
}

TEST_CASE("a peer that has ciphers without forward secrecy or authenticated encryption alone is refused", "[tls]") {
  // OpenSSL on memory, against a server of ours.
  on_each_poller([] {
    const auto end_with = [](const char* ciphers) {
      auto [a, b] = tcp_pair();
      const tls::conn server = tls::server(b, certificates::all().for_server());
      wait_group other;
      std::error_code end;
      other.go([&] { end = server.handshake(); });
      std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ctx(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
      SSL_CTX_set_max_proto_version(ctx.get(), TLS1_2_VERSION);
      FACT(SSL_CTX_set_cipher_list(ctx.get(), ciphers) == 1);
      std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(ctx.get()), SSL_free);
      BIO* const out = BIO_new(BIO_s_mem());
      SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
      SSL_set_connect_state(ssl.get());
      (void)SSL_do_handshake(ssl.get());
      const char* hello = nullptr;
      const long n = BIO_get_mem_data(out, &hello);
      FACT(!a.write(std::string_view(hello, static_cast<std::size_t>(n))).err);
      (void)a.close_write();
      other.wait();
      return end;
    };
    FACT(end_with("AES128-GCM-SHA256:AES256-SHA") == tls::errc::no_common);
    FACT(end_with("ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384") == tls::errc::no_common);
    FACT(end_with("ECDHE-ECDSA-AES128-GCM-SHA256") == tls::errc::closed_in_handshake);  // it would have gone on
  });
}

TEST_CASE("a server whose certificates are gone for a moment still serves later", "[tls]") {
  on_each_poller([] {
    tls::certificate_store store;
    store.set({certificates::all().server.certificate()});
    tls::config how;
    how.certificates = store;
    const auto l = tls::listen("tcp", "127.0.0.1:0", how).unwrap();
    const auto handshake = [&] {
      wait_group server;
      server.go([&] {
        auto c = l.accept();
        FACT(!c.err);
        (void)c.value.handshake();
      });
      const std::error_code e = tls::dial("tcp", l.addr().to_string(), certificates::all().for_client()).err;
      server.wait();
      return e;
    };
    FACT(!handshake());
    store.set({});
    FACT(bool(handshake()));
    store.set({certificates::all().server.certificate()});
    FACT(!handshake());
  });
}
