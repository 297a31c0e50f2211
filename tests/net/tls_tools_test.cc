// Other people's TLS: openssl and curl.
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "tests/net/tls_certificates.h"
#include "tests/support/child.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* openssl = "/usr/bin/openssl";

// A server that returns what it reads, up to a line's end, to one client after the other.
class echo {
 public:
  explicit echo(const tls::config& how) : l_(tls::listen("tcp", "127.0.0.1:0", how).unwrap()) {
    fiber_.go([this] {
      for (;;) {
        auto [c, err] = l_.accept();
        if (err) break;
        ends_.send(c.handshake());
        std::string text;
        while (!text.ends_with('\n')) {
          const std::string one = read_up_to(c, 1);
          if (one.empty()) break;
          text += one;
        }
        (void)c.write(text);
      }
    });
  }
  ~echo() {
    (void)l_.close();
    fiber_.wait();
  }
  std::string place() const { return l_.addr().to_string(); }
  // What the next handshake comes to.
  std::error_code end() { return ends_.recv().value(); }

 private:
  chan<std::error_code> ends_ = make_chan<std::error_code>(10);
  tls::listener l_;
  wait_group fiber_;
};

// What `openssl s_client` with these flags writes when its input says hello.
outcome s_client(const std::string& place, const std::string& flags) {
  const auto line = fmt::format("echo hello | {} s_client -connect {} -ign_eof {}", openssl, place, flags);
  return blocking([&] { return run_child({"/bin/sh", "-c", line}); });
}

// OpenSSL on a socket that blocks, for what its program does not do.
class raw_client {
 public:
  raw_client(const std::string& place, int version)
      : ctx_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(SSL_new(ctx_.get()), SSL_free) {
    SSL_set_min_proto_version(ssl_.get(), version);
    SSL_set_max_proto_version(ssl_.get(), version);
    const auto to = net::resolve("tcp", place).unwrap();
    FACT(connect(fd_, to.address(), to.length()) == 0);
    SSL_set_fd(ssl_.get(), fd_);
    FACT(SSL_connect(ssl_.get()) == 1);
  }
  ~raw_client() {
    ::close(fd_);
    signal(SIGPIPE, usual_);
  }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  SSL* ssl() const { return ssl_.get(); }
  std::string answer_to(const std::string& text) {
    char buf[100];
    if (SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) <= 0) return "no write";
    const int n = SSL_read(ssl_.get(), buf, sizeof buf);
    return n > 0 ? std::string(buf, static_cast<std::size_t>(n)) : "no read";
  }

 private:
  const sighandler_t usual_ = signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ctx_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("openssl's client is answered in both versions, and nothing is resumed", "[tls][process]") {
  if (access(openssl, X_OK) != 0) return;
  const certificates& c = certificates::all();
  temp_tree dir;
  dir.file("/ca.pem", c.authority.cert);
  const std::string verify = "-verify_return_error -verify_hostname localhost -CAfile " + dir.root() + "/ca.pem ";
  on_each_poller([&] {
    const hang_guard guard("openssl s_client");
    echo e(c.for_server());
    const outcome newest = s_client(e.place(), verify);
    FACT(newest.status == 0);
    FACT(has(newest.out, "\nhello\n"));
    FACT(has(newest.out, "TLSv1.3"));
    FACT(!has(newest.out, "New Session Ticket"));
    FACT(!e.end());
    const outcome older = s_client(e.place(), verify + "-tls1_2");
    FACT(has(older.out, "\nhello\n"));
    FACT(has(older.out, "TLSv1.2"));
    FACT(!has(older.out, "session ticket:"));
    FACT(!e.end());
    // It trusts no one here, and says so; the server reads it and continues.
    FACT(s_client(e.place(), "-verify_return_error -no-CAfile -no-CApath").status != 0);
    FACT(e.end() == tls::errc::refused);
    FACT(s_client(e.place(), "-quiet " + verify).out == "hello\n");
  });
}

TEST_CASE("a client that is too old for the server is refused", "[tls][process]") {
  if (access(openssl, X_OK) != 0) return;
  const certificates& c = certificates::all();
  on_each_poller([&] {
    const hang_guard guard("too old");
    tls::config modern = c.for_server();
    modern.min_version = tls::version::tls_1_3;
    echo e(modern);
    const outcome refused = s_client(e.place(), "-tls1_2");
    FACT(refused.status != 0);
    FACT(has(refused.err, "protocol version"));
    FACT(e.end() == tls::errc::no_common);
    FACT(has(s_client(e.place(), "-tls1_3 -quiet").out, "hello"));
  });
}

TEST_CASE("a peer may ask for new keys, and is not negotiated with anew", "[tls]") {
  const certificates& c = certificates::all();
  on_each_poller([&] {
    const hang_guard guard("new keys");
    echo e(c.for_server());
    blocking([&] {
      raw_client one(e.place(), TLS1_3_VERSION);
      FACT(SSL_key_update(one.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
      FACT(one.answer_to("a line\n") == "a line\n");
      raw_client two(e.place(), TLS1_2_VERSION);
      FACT(SSL_renegotiate(two.ssl()) == 1);
      FACT(SSL_do_handshake(two.ssl()) != 1);  // it is refused, and does not wait without end
    });
    FACT(!e.end());
    FACT(!e.end());
    FACT(has(s_client(e.place(), "-quiet").out, "hello"));
  });
}

TEST_CASE("OpenSSL stays until the process has ended", "[tls][process]") {
  const outcome o = run_child({beside_this_program("tls_scenarios")});
  CHECK(o.status == 0);
  CHECK(o.out == "end\n");
}
