// Addresses in words: what is refused, and what a name leads to.
#include <unistd.h>
#include <weft/net.h>

#include "tests/net/on_each_poller.h"
#include "tests/support/child.h"

#include <string>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

void check_scenario(const std::string& name, const std::string& says) {
  for (const char* poller : {"WEFT_POLLER=io_uring", "WEFT_POLLER=epoll"}) {
    CAPTURE(name, poller);
    const outcome r = run_child({"/usr/bin/env", poller, beside_this_program("net_faults"), name}, 60);
    CHECK(r.status == 0);
    CHECK(r.out == says);
    CHECK(r.err.empty());
  }
}

}  // namespace

TEST_CASE("a port is a number up to 65535 in digits, or the name of a service", "[net]") {
  on_each_poller([] {
    for (const std::string port : {" 84616", "84616", "65536", "+80", "-1", "80 ", "8 0", "99999999999999999999",
                                   "0x50", "80x", "\t80", "80\n"}) {
      FACT(net::dial("tcp", "127.0.0.1:" + port).err == net::errc::bad_port);
      FACT(net::listen("tcp", "127.0.0.1:" + port).err == net::errc::bad_port);
      FACT(net::listen_packet("udp", "127.0.0.1:" + port).err == net::errc::bad_port);
      FACT(net::resolve("tcp", "127.0.0.1:" + port).err == net::errc::bad_port);
    }
    FACT(net::resolve("tcp", "127.0.0.1:00080").value.port() == 80);
    FACT(net::resolve("tcp", "127.0.0.1:http").value.port() == 80 ||
         net::resolve("tcp", "127.0.0.1:http").err.category() == net::lookup_category());  // no /etc/services here
  });
}

TEST_CASE("an address with a NUL byte or a space is refused", "[net]") {
  on_each_poller([] {
    const std::string nul("\0", 1);
    for (const std::string& host :
         {"127.0.0.1" + nul, "127.0.0.1" + nul + ".test", nul + "localhost", "local" + nul + "host",
          std::string("127.0.0.1 x"), std::string(" localhost"), std::string("local[host")}) {
      FACT(net::dial("tcp", host + ":80").err == net::errc::bad_address);
      FACT(net::listen("tcp", host + ":0").err == net::errc::bad_address);
      FACT(net::lookup_host(host).err == net::errc::bad_address);
      FACT(net::dialer{.local = host + ":0"}.dial("tcp", "127.0.0.1:80").err == net::errc::bad_address);
    }
    FACT(net::dial("tcp", "127.0.0.1:80" + nul).err == net::errc::bad_port);
    FACT(net::listen("unix", "/tmp/weft-test" + nul + "x").err == net::errc::bad_address);
    FACT(net::dial("unix", "/tmp/weft-test" + nul).err == net::errc::bad_address);
    // an abstract name may have any byte
    auto l = net::listen("unix", "@weft" + nul + std::to_string(getpid())).unwrap();
    FACT(!net::dial("unix", l.addr().to_string()).err);
  });
}

TEST_CASE("a name of both families is listened for at its IPv4 address", "[net]") {
  check_scenario("listen", "127.0.0.1\n127.0.0.1\n");
}

TEST_CASE("an address that swallows packets does not use up the time of the next", "[net]") {
  check_scenario("swallow", "by a timeout: 127.0.0.1\nby a context: 127.0.0.1\n");
}

TEST_CASE("name lookups have a bound of their own, and a context ends the wait for a place", "[net]") {
  check_scenario("lookups", "400 dials have timed out\nat most 64 lookups at a time\nat most 200 threads\n");
}

TEST_CASE("equal questions that are asked at a time share one answer", "[net]") {
  check_scenario("share", "50 answers, 1 lookup\n");
}
