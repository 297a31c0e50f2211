#include "tests/net/on_each_poller.h"
#include "tests/support/descriptors.h"

#include "tests/support/temp_tree.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

TEST_CASE("closing a listener ends all accepts", "[net][NET-05]") {
  on_each_poller([] {
    const hang_guard guard("accepts end");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    std::atomic<int> closed{0};
    wait_group all;
    for (int i = 0; i < 10; ++i)
      all.go([&, l = l] {
        if (l.accept().err == errc::closed) ++closed;
      });
    sleep(2ms);
    FACT(!l.close());
    all.wait();
    FACT(closed == 10);
  });
}

TEST_CASE("several fibers accept from one listener", "[net][NET-06]") {
  on_each_poller([] {
    const hang_guard guard("concurrent accept");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    wait_group accepting, dialing;
    for (int i = 0; i < 10; ++i)
      accepting.go([l = l] {
        while (auto r = l.accept()) FACT(!r.value.close());
      });
    std::atomic<int> reached{0};
    for (int i = 0; i < scaled(100) + 1; ++i)
      dialing.go([&] {
        if (net::dial("tcp", l.addr().to_string())) ++reached;
      });
    dialing.wait();
    FACT(reached == scaled(100) + 1);
    FACT(!l.close());
    accepting.wait();
  });
}

TEST_CASE("an address can be listened on again as soon as close has returned", "[net][NET-07]") {
  on_each_poller([] {
    const hang_guard guard("listen again");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    const std::string at = l.addr().to_string();
    for (int i = 0; i < 20; ++i) {
      wait_group all;
      all.go([l = l] { FACT(l.accept().err == errc::closed); });
      if (i % 2) yield();
      FACT(!l.close());
      auto again = net::listen("tcp", at);
      REQUIRE(!again.err);
      all.wait();
      l = again.value;
    }
  });
}

TEST_CASE("the address of a listener on all interfaces can be dialled", "[net][NET-50]") {
  on_each_poller([] {
    for (const char* network : {"tcp", "tcp4"}) {
      auto l = net::listen(network, ":0").unwrap();
      FACT(l.addr().port() != 0);
      auto c = net::dial(network, l.addr().to_string());
      REQUIRE(!c.err);
      FACT(!l.accept().err);
    }
  });
}

TEST_CASE("a listener on all interfaces takes IPv4 and IPv6", "[net][NET-61]") {
  on_each_poller([] {
    auto l = net::listen("tcp", ":0").unwrap();
    auto four = net::dial("tcp", "127.0.0.1:" + std::to_string(l.addr().port()));
    REQUIRE(!four.err);
    const auto accepted = l.accept();
    FACT(!accepted.err);
    FACT(accepted.value.remote_addr().to_string() ==
         four.value.local_addr().to_string());  // "127.0.0.1:...", no "::ffff:"
    FACT(accepted.value.remote_addr().host() == "127.0.0.1");
    if (l.addr().family() != AF_INET6) return;
    auto six = net::dial("tcp", "[::1]:" + std::to_string(l.addr().port()));
    if (six.err == std::errc::address_not_available) return;
    REQUIRE(!six.err);
    FACT(!l.accept().err);
  });
}

TEST_CASE("[::] means both families, unless the network says one", "[net][NET-61]") {
  on_each_poller([] {
    const auto any = net::listen("tcp", "[::]:0");
    if (any.err) return;  // no IPv6 here
    const std::string port = std::to_string(any.value.addr().port());
    for (const char* host : {"127.0.0.1:", "[::1]:"}) FACT(!net::dial("tcp", host + port).err);
    const auto six = net::listen("tcp6", "[::]:0").unwrap();
    FACT(net::dial("tcp", "127.0.0.1:" + std::to_string(six.addr().port())).err == std::errc::connection_refused);
    const auto packets = net::listen_packet("udp", "[::]:0").unwrap();
    const auto c = net::dial("udp", "127.0.0.1:" + std::to_string(packets.local_addr().port())).unwrap();
    FACT(!c.write("x").err);
    std::byte some[8];
    FACT(packets.read_from(some).value.n == 1);
  });
}

TEST_CASE("an accept may be ended by a context", "[net][NET-38]") {
  on_each_poller([] {
    const hang_guard guard("accept context");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    FACT(l.accept(ctx).err == errc::deadline_exceeded);
    auto c = net::dial("tcp", l.addr().to_string()).unwrap();
    FACT(!l.accept().err);
  });
}

TEST_CASE("Unix sockets carry streams, and the file goes with the listener", "[net][NET-58][NET-61]") {
  temp_tree tree;
  const std::string path = tree.root() + "/socket";
  on_each_poller([&] {
    auto l = net::listen("unix", path).unwrap();
    FACT(l.addr().to_string() == path);
    FACT(l.addr().network() == "unix");
    auto a = net::dial("unix", path).unwrap();
    auto b = l.accept().unwrap();
    FACT(a.remote_addr().to_string() == path);
    FACT(b.remote_addr().to_string().empty());
    FACT(!a.write("hello").err);
    FACT(!a.close_write());
    FACT(read_up_to(b, 100) == "hello");
    FACT(!l.close());
    FACT(!std::filesystem::exists(path));
    FACT(net::dial("unix", path).err == std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("Unix sockets have abstract names and keep packets apart", "[net][NET-58]") {
  on_each_poller([] {
    const std::string name = "@weft-test-" + std::to_string(getpid());
    auto l = net::listen("unixpacket", name).unwrap();
    FACT(l.addr().to_string() == name);
    auto a = net::dial("unixpacket", name).unwrap();
    auto b = l.accept().unwrap();
    FACT(!a.write("one").err);
    FACT(!a.write("two").err);
    std::byte buf[100];
    FACT(b.read(buf).value == 3);
    FACT(b.read(buf).value == 3);
    FACT(!l.close());
  });
}

TEST_CASE("what cannot be listened on is said", "[net]") {
  on_each_poller([] {
    FACT(net::listen("tcp", "127.0.0.1").err == net::errc::missing_port);
    FACT(net::listen("tcp", "127.0.0.1:65536").err == net::errc::bad_port);
    FACT(net::listen("tcp", "::1:80").err == net::errc::bad_address);
    FACT(net::listen("carrier", "pigeon").err == net::errc::unknown_network);
    FACT(net::listen("udp", "127.0.0.1:0").err == net::errc::unknown_network);
    FACT(net::listen("unix", std::string(200, 'x')).err == net::errc::name_too_long);
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    FACT(net::listen("tcp", l.addr().to_string()).err == std::errc::address_in_use);
    FACT(net::listen("tcp", "192.0.2.1:0").err == std::errc::address_not_available);
  });
}

TEST_CASE("what cannot be dialled is said", "[net]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    const std::string at = l.addr().to_string();
    FACT(!l.close());
    FACT(net::dial("tcp", at).err == std::errc::connection_refused);
    FACT(net::dial("tcp", "no-such-host.invalid:80").err.category() == net::lookup_category());
    FACT(net::dial("tcp", "127.0.0.1").err == net::errc::missing_port);
  });
}

TEST_CASE("a dial that gets no answer is ended by a context or a limit", "[net][NET-36][NET-38]") {
  on_each_poller([] {
    const hang_guard guard("dial without answer");
    // A listener whose queue is full drops what comes.
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(s, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(listen(s, 0) == 0);
    socklen_t n = sizeof at;
    getsockname(s, reinterpret_cast<sockaddr*>(&at), &n);
    const std::string where = net::endpoint(reinterpret_cast<sockaddr*>(&at), n, SOCK_STREAM).to_string();
    std::vector<net::conn> filling;
    std::error_code e;
    for (int i = 0; i < 8 && !e; ++i) {
      auto r = net::dial_timeout("tcp", where, 20ms);
      e = r.err;
      filling.push_back(r.value);
    }
    FACT(e == errc::timeout);
    FACT(net::dial_timeout("tcp", where, -1s).err == errc::timeout);
    auto [ctx, cancel] = with_timeout(background(), 5ms);
    FACT(net::dial(ctx, "tcp", where).err == errc::deadline_exceeded);
    close(s);
  });
}

TEST_CASE("cancelling after a dial does nothing to the connection", "[net][NET-40]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto [ctx, cancel] = with_cancel(background());
    auto a = net::dial(ctx, "tcp", l.addr().to_string()).unwrap();
    cancel();
    auto b = l.accept().unwrap();
    FACT(!a.write("x").err);
    FACT(a.fd() >= 0);
  });
}

TEST_CASE("names are looked up", "[net]") {
  on_each_poller([] {
    const auto [found, err] = net::lookup_host("localhost");
    REQUIRE(!err);
    bool loopback = false;
    for (const net::endpoint& e : found) loopback = loopback || e.host() == "127.0.0.1" || e.host() == "::1";
    FACT(loopback);
    FACT(net::lookup_host("no-such-host.invalid").err.category() == net::lookup_category());
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    FACT(net::lookup_host(ctx, "localhost").err == errc::canceled);
  });
}

TEST_CASE("connections are accepted while every P has fibers to run", "[net]") {
  on_each_poller([] {
    const hang_guard guard("busy Ps accept nothing");
    std::atomic<bool> over = false;
    wait_group busy;
    for (int i = 0; i < 2 * maxprocs(); ++i)
      busy.go([&] {
        while (!over) yield();
      });
    const auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto client = blocking([&] { return net::dial("tcp", l.addr().to_string()); }).unwrap();  // by no ring
    FACT(!l.accept().err);
    wait_group all;
    all.go([&] {
      for (int i = 0; i < 3; ++i) FACT(!l.accept().err);
    });
    for (int i = 0; i < 3; ++i) FACT(!net::dial("tcp", l.addr().to_string()).err);
    all.wait();
    over = true;
    busy.wait();
  });
}

TEST_CASE("connections leave no descriptors behind", "[net][NET-45]") {
  on_each_poller([&] {
    { auto first = tcp_pair(); }  // the poller is there from here on
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 10; ++i) auto p = tcp_pair();
    FACT(open_descriptors() <= before + 16);  // rings of other Ps perhaps
    FACT(net::dial("tcp", "127.0.0.1:1").err);
  });
}

TEST_CASE("a connection that is reset before it is accepted is no error of the listener", "[net][NET-08]") {
  on_each_poller([] {
    const hang_guard guard("reset before accept");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    for (int i = 0; i < 20; ++i) {
      for (int k = 0; k < 3; ++k) {
        auto gone = net::dial("tcp", l.addr().to_string()).unwrap();
        FACT(!gone.set_linger(0));
        FACT(!gone.close());
      }
      auto stays = net::dial("tcp", l.addr().to_string()).unwrap();
      for (;;) {
        auto [c, err] = l.accept();
        REQUIRE(!err);
        if (c.remote_addr() == stays.local_addr()) break;
        std::byte buf[1];
        FACT(c.read(buf).err == std::errc::connection_reset);
      }
    }
  });
}

TEST_CASE("a crowd of connections is accepted without a round of the poller for each", "[net]") {
  options o;
  o.maxprocs = 1;
  o.poller = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  in_world(o, [] {
    const hang_guard guard("accepting a crowd");
    constexpr int crowd = 50;
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    std::vector<net::conn> there;
    for (int i = 0; i < crowd; ++i) there.push_back(net::dial("tcp", l.addr().to_string()).unwrap());
    there.push_back(l.accept().unwrap());  // may wait for a round
    const no_suspend the_others_are_there;
    for (int i = 1; i < crowd; ++i) there.push_back(l.accept().unwrap());
  });
  report_broken_fact();
}

TEST_CASE("close returns although a fiber of a world that has ended waits for the socket", "[net]") {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  const hang_guard guard("close after the end of a world");
  const auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
  run(options{.maxprocs = 2, .poller = kind}, [&l] {
    for (int i = 0; i < 3; ++i) go([l] { (void)l.accept(); });  // two are queued behind the first
    sleep(5ms);
  });
  if (GENERATE(true, false)) CHECK(!l.close());
  else in_world(1, [&l] { CHECK(!l.close()); });
}
