// What a client has written arrives, though it closes immediately and session tickets of the server
// lie unread.
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/net/tls_certificates.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;

bio_ptr memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// OpenSSL's server on a socket that blocks: sends two tickets, waits, and then reads slowly. One
// connection.
class slow_server {
 public:
  explicit slow_server(const pem& own) : ctx_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    X509* cert = PEM_read_bio_X509(memory(own.cert).get(), nullptr, nullptr, nullptr);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(memory(own.key).get(), nullptr, nullptr, nullptr);
    FACT(SSL_CTX_use_certificate(ctx_.get(), cert) == 1);
    FACT(SSL_CTX_use_PrivateKey(ctx_.get(), key) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    const int small = 64 << 10;  // so that much is on its way when the client closes
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    FACT(listen(fd_, 1) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~slow_server() {
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  slow_server(const slow_server&) = delete;
  slow_server& operator=(const slow_server&) = delete;

  std::string place() const {
    sockaddr_in at{};
    socklen_t n = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &n);
    return "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  }
  // SSL_accept() has written the tickets. OpenSSL writes without MSG_NOSIGNAL, so the client must
  // not close before.
  bool has_sent_tickets() const { return has_sent_tickets_; }
  // How much has come, and whether the end was the client's goodbye.
  std::pair<std::size_t, bool> end() {
    blocking([&] { thread_.join(); });
    return {got_, goodbye_};
  }

 private:
  void serve() {
    const int fd = accept(fd_, nullptr, nullptr);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(ctx_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    FACT(SSL_accept(ssl.get()) == 1);
    has_sent_tickets_ = true;
    usleep(100'000);
    char buf[16384];
    for (int n = 0; (n = SSL_read(ssl.get(), buf, sizeof buf)) > 0; got_ += static_cast<std::size_t>(n)) usleep(200);
    goodbye_ = SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN;
    ::close(fd);
  }

  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ctx_;
  std::atomic<bool> has_sent_tickets_{false};
  std::size_t got_ = 0;
  bool goodbye_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("what a client wrote arrives though it closes over unread tickets", "[tls]") {
  const certificates& all = certificates::all();
  on_each_poller([&] {
    const hang_guard guard("last words");
    for (const bool polite : {false, true})
      for (const std::size_t size : {100u, 100'000u, 1'500'000u}) {
        slow_server s(all.server);
        tls::config how;
        how.insecure_skip_verify = true;
        auto c = tls::dial("tcp", s.place(), how).unwrap();
        while (!s.has_sent_tickets()) sleep(1ms);
        FACT(c.write(std::string(size, 'x')).value == size);
        if (polite) FACT(!c.close_write());
        FACT(!c.close());
        const auto [got, goodbye] = s.end();
        FACT(got == size);
        FACT(goodbye);
      }
  });
}
