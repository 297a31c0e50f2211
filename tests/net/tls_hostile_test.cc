// A peer that makes a connection answer and does not read, before and after the close.
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "tests/net/tls_certificates.h"
#include "tests/support/cpu_time.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// OpenSSL's client on a socket that blocks: asks for new keys until the server has gone, and reads
// none of its answers. Returns how often it has asked.
int ask_for_keys(int port) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);  // OpenSSL writes without MSG_NOSIGNAL
  const int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return -1;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> how(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(how.get()), SSL_free);
  SSL_set_fd(ssl.get(), fd);
  int asked = SSL_connect(ssl.get()) == 1 ? 0 : -1;
  while (asked >= 0 && asked < 1'000'000 && SSL_key_update(ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1 &&
         SSL_do_handshake(ssl.get()) == 1)
    ++asked;
  close(fd);
  return asked;
}

}  // namespace

TEST_CASE("a peer that asks for new keys and does not read the answers is given up", "[tls]") {
  on_each_poller([] {
    const hang_guard guard("key updates");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    int asked = 0;
    std::thread client([&, port = l.addr().port()] { asked = ask_for_keys(port); });
    {
      auto raw = l.accept().unwrap();
      FACT(!raw.set_option(SOL_SOCKET, SO_SNDBUF, 4096));
      auto c = tls::server(raw, certificates::all().for_server());
      std::byte some[100];
      FACT(c.read(some).err == std::errc::no_buffer_space);
      FACT(c.read(some).err == std::errc::no_buffer_space);
      FACT(c.write("x").err);
    }
    blocking([&] { client.join(); });
    FACT(asked > 100 && asked < 1'000'000);
  });
}

TEST_CASE("what a closed connection still has to send costs no CPU while its peer does not read", "[tls]") {
  in_world(2, [] {
    const hang_guard guard("a peer that does not read");
    const auto p = tls_pair();
    const auto ends = shake_hands(p);
    FACT(!ends.client && !ends.server);
    FACT(!p.client.net_conn().set_option(SOL_SOCKET, SO_RCVBUF, 4096));
    FACT(!p.server.write(std::string(400'000, 'x')).err);
    FACT(!p.client.net_conn().close_write());
    sleep(50ms);
    FACT(!p.server.close());
    const double before = cpu_seconds();
    sleep(500ms);
    FACT(cpu_seconds() - before < 0.25);
    FACT(!p.client.net_conn().close());
  });
  report_broken_fact();
}
