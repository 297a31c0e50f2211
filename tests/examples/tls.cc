// TLS: a server and a client that trust one certificate.
#include <weft/async.h>
#include <weft/bufio.h>
#include <weft/errors.h>
#include <weft/fs.h>
#include <weft/net.h>
#include <weft/tls.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/examples/examples.h"
#include "tests/examples/self_signed.h"

namespace {

weft::tls::certificate certificate_of(const examples::self_signed& pem) {
  return weft::tls::parse_certificate(pem.certificate, pem.key).unwrap();
}

// The server shows a certificate; the client checks it against the authorities that it trusts.
void tls() {
  const examples::self_signed pem = examples::make_certificate("localhost");
  const weft::tls::config for_server{.certificate = certificate_of(pem), .min_version = weft::tls::version::tls_1_3};
  const auto listener = weft::tls::listen("tcp", "127.0.0.1:0", for_server).unwrap();
  auto server = weft::async([listener] {
    const weft::tls::conn c = listener.accept().unwrap();
    c.write("hello in secret\n").unwrap();
    c.close();
  });
  const weft::tls::config for_client{.roots = weft::tls::parse_roots(pem.certificate).unwrap(),
                                     .server_name = "localhost"};
  const weft::tls::conn c = weft::tls::dial("tcp", listener.addr().to_string(), for_client).unwrap();
  std::puts(c.connection_state().verified ? "verified" : "not verified");
  std::puts(weft::bufio::reader(c).read_line().unwrap().c_str());
  server.get();
}
// Prints:
// verified
// hello in secret

// A certificate that no trusted authority signed is refused. Errors are compared with conditions.
void tls_unknown_authority() {
  const examples::self_signed pem = examples::make_certificate("localhost");
  const auto listener = weft::tls::listen("tcp", "127.0.0.1:0", {.certificate = certificate_of(pem)}).unwrap();
  auto server = weft::async([listener] { return listener.accept().unwrap().handshake(); });
  const auto dialled = weft::tls::dial("tcp", listener.addr().to_string(), {.server_name = "localhost"});
  if (dialled.err == weft::tls::errc::unknown_authority) std::puts("the client refuses the certificate");
  if (server.get() == weft::tls::errc::refused) std::puts("the server learns of it");
}
// Prints:
// the client refuses the certificate
// the server learns of it

// A server that requires a certificate of its clients, and reads from it who they are.
void tls_client_certificate() {
  const examples::self_signed of_server = examples::make_certificate("localhost");
  const examples::self_signed of_client = examples::make_certificate("client one");
  const auto listener = weft::tls::listen("tcp", "127.0.0.1:0",
                                          {.certificate = certificate_of(of_server),
                                           .roots = weft::tls::parse_roots(of_client.certificate).unwrap(),
                                           .clients = weft::tls::client_auth::required})
                            .unwrap();
  auto server = weft::async([listener] {
    const weft::tls::conn c = listener.accept().unwrap();
    if (c.handshake()) return std::string();
    return c.connection_state().peer_subject;
  });
  const auto c = weft::tls::dial("tcp", listener.addr().to_string(),
                                 {.certificate = certificate_of(of_client),
                                  .roots = weft::tls::parse_roots(of_server.certificate).unwrap(),
                                  .server_name = "localhost"})
                     .unwrap();
  std::puts(server.get().c_str());
}
// Prints:
// CN=client one

// Certificates from files, chosen by the name that the client asks for, and replaceable while the
// server runs.
void tls_certificate_store() {
  const examples::temp_dir dir;
  weft::tls::certificate_store store;
  std::vector<weft::tls::certificate> all;
  for (const char* host : {"a.example", "b.example"}) {
    const examples::self_signed pem = examples::make_certificate(host);
    weft::fs::write_file(dir / host, pem.certificate);
    weft::fs::write_file(dir / "key", pem.key);
    all.push_back(weft::tls::load_certificate(dir / host, dir / "key").unwrap());
  }
  store.set(all);
  const auto listener = weft::tls::listen("tcp", "127.0.0.1:0", {.certificates = store}).unwrap();
  auto server = weft::async([listener] { return listener.accept().unwrap().handshake(); });
  const weft::tls::roots roots = weft::tls::load_roots(dir / "b.example").unwrap();
  const auto c = weft::tls::dial("tcp", listener.addr().to_string(), {.roots = roots, .server_name = "b.example"});
  if (!server.get()) std::puts(c.value.connection_state().peer_subject.c_str());
}
// Prints:
// CN=b.example

// A second connection resumes the session of the first: no certificate is sent.
void tls_resume() {
  const examples::self_signed pem = examples::make_certificate("localhost");
  const auto listener =
      weft::tls::listen("tcp", "127.0.0.1:0", {.certificate = certificate_of(pem), .tickets = weft::tls::ticket_keys()})
          .unwrap();
  auto server = weft::async([listener] {
    for (int i = 0; i < 2; ++i) listener.accept().unwrap().write("hello\n").unwrap();
  });
  const weft::tls::config for_client{.roots = weft::tls::parse_roots(pem.certificate).unwrap(),
                                     .sessions = weft::tls::session_cache(),
                                     .server_name = "localhost"};
  for (int i = 0; i < 2; ++i) {
    const auto c = weft::tls::dial("tcp", listener.addr().to_string(), for_client).unwrap();
    weft::bufio::reader(c).read_line().unwrap();
    std::puts(c.connection_state().resumed ? "resumed" : "a full handshake");
  }
  server.get();
}
// Prints:
// a full handshake
// resumed

// TLS on a connection that is in use: after a part without it, as mail servers do.
void tls_upgrade() {
  const examples::self_signed pem = examples::make_certificate("localhost");
  const auto listener = weft::net::listen("tcp", "127.0.0.1:0").unwrap();
  auto server = weft::async([listener, certificate = certificate_of(pem)] {
    const weft::net::conn plain = listener.accept().unwrap();
    std::puts(std::string(plain.receive().unwrap().text()).c_str());
    plain.write("ready").unwrap();
    weft::tls::server(plain, {.certificate = certificate}).write("hello in secret\n").unwrap();
  });
  const weft::net::conn plain = weft::net::dial("tcp", listener.addr().to_string()).unwrap();
  plain.write("STARTTLS").unwrap();
  std::puts(std::string(plain.receive().unwrap().text()).c_str());
  const weft::tls::roots roots = weft::tls::parse_roots(pem.certificate).unwrap();
  const weft::tls::conn c = weft::tls::client(plain, {.roots = roots, .server_name = "localhost"});
  std::puts(weft::bufio::reader(c).read_line().unwrap().c_str());
  server.get();
}
// Prints:
// STARTTLS
// ready
// hello in secret

const examples::group tls_group({
    {"tls", tls},
    {"tls_unknown_authority", tls_unknown_authority},
    {"tls_client_certificate", tls_client_certificate},
    {"tls_certificate_store", tls_certificate_store},
    {"tls_resume", tls_resume},
    {"tls_upgrade", tls_upgrade},
});

}  // namespace
