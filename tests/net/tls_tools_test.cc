// Other people's TLS: openssl and curl.
#include <unistd.h>
#include <weft/http.h>

#include "tests/net/tls_certificates.h"
#include "tests/support/child.h"
#include "tests/support/temp_tree.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* openssl = "/usr/bin/openssl";

// A server that returns what it reads, up to a line's end, and counts what went wrong.
class echo {
 public:
  explicit echo(const tls::config& how) : l_(tls::listen("tcp", "127.0.0.1:0", how).unwrap()) {
    fiber_.go([this] {
      for (;;) {
        auto [c, err] = l_.accept();
        if (err) break;
        last_error = c.handshake();
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
  std::error_code last_error;

 private:
  tls::listener l_;
  wait_group fiber_;
};

// What `openssl s_client` with these flags writes when it is told to say hello.
outcome s_client(const std::string& place, const std::string& flags) {
  const std::string line = std::string("echo hello | ") + openssl + " s_client -connect " + place + " -ign_eof " + flags;
  return blocking([&] { return run_child({"/bin/sh", "-c", line}); });
}

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
    FACT(!e.last_error);
    const outcome older = s_client(e.place(), verify + "-tls1_2");
    FACT(has(older.out, "\nhello\n"));
    FACT(has(older.out, "TLSv1.2"));
    FACT(!has(older.out, "session ticket:"));
    // It trusts nobody here, and says so; the server hears it and goes on.
    FACT(s_client(e.place(), "-verify_return_error -no-CAfile -no-CApath").status != 0);
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
    FACT(e.last_error == tls::errc::no_common);
    FACT(has(s_client(e.place(), "-tls1_3 -quiet").out, "hello"));
  });
}

TEST_CASE("openssl's client asks for new keys and refuses to be renegotiated with", "[tls][process]") {
  if (access(openssl, X_OK) != 0) return;
  const certificates& c = certificates::all();
  on_each_poller([&] {
    const hang_guard guard("new keys");
    echo e(c.for_server());
    // "K": new keys for both directions; "R": renegotiation, in the older version.
    const auto command = [&](const char* letter, const char* flags) {
      const std::string line = std::string("(sleep 0.1; echo ") + letter + "; sleep 0.1; echo hello) | " + openssl +
                               " s_client -connect " + e.place() + " " + flags;
      return blocking([&] { return run_child({"/bin/sh", "-c", line}); });
    };
    const outcome keys = command("K", "-tls1_3");
    FACT(has(keys.err, "KEYUPDATE"));
    FACT(!e.last_error);
    (void)command("R", "-tls1_2");
    FACT(has(s_client(e.place(), "-quiet").out, "hello"));
  });
}
