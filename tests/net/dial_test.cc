#include "tests/net/on_each_poller.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("a name with two families reaches the one that listens", "[net][NET-42]") {
  on_each_poller([] {
    const hang_guard guard("happy eyeballs");
    for (const char* at : {"127.0.0.1:0", "[::1]:0"}) {
      auto made = net::listen("tcp", at);
      if (made.err) continue;  // no IPv6 here
      auto l = std::move(made).unwrap();
      net::dialer d;
      for (duration delay : {300ms, 1ms, -1ms}) {
        d.fallback_delay = delay;
        auto c = d.dial("tcp", "localhost:" + std::to_string(l.addr().port()));
        // If the name has the one address only, the other cannot be reached by it.
        if (c.err) {
          FACT(c.err == std::errc::connection_refused);
          continue;
        }
        FACT(c.value.remote_addr() == l.addr());
        FACT(!l.accept().err);
      }
    }
  });
}

TEST_CASE("a dialer binds its own address first", "[net][NET-46]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    net::dialer d;
    d.local = "127.0.0.2:0";
    auto c = d.dial("tcp", l.addr().to_string()).unwrap();
    FACT(c.local_addr().host() == "127.0.0.2");
    FACT(l.accept().unwrap().remote_addr().host() == "127.0.0.2");
    d.local = "[::1]:0";
    FACT(d.dial("tcp", l.addr().to_string()).err == net::errc::no_address);
  });
}

TEST_CASE("the limit of a dial does not stay with the connection", "[net][NET-36]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto c = net::dial_timeout("tcp", l.addr().to_string(), 500ms).unwrap();
    auto served = l.accept().unwrap();
    const auto until = weft::now() + 2ms;
    c.set_read_deadline(until);
    std::byte buf[1];
    FACT(c.read(buf).err == errc::timeout);
    FACT(!c.write("x").err);
    FACT(net::dial_timeout("tcp", l.addr().to_string(), duration::max()).err == std::error_code());
  });
}
