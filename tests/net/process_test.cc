// What a process does as a whole: which poller it takes, when it sleeps, when it gives up.
#include "tests/net/on_each_poller.h"
#include "tests/support/child.h"
#include "tests/support/cpu_time.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

outcome scenario(const std::string& name, const std::string& environment = {}, int limit_s = 60) {
  std::vector<std::string> argv{"/usr/bin/env", "-u", "WEFT_POLLER"};
  if (!environment.empty()) argv.push_back(environment);
  argv.push_back(beside_this_program("net_scenarios"));
  argv.push_back(name);
  return run_child(argv, limit_s);
}

// Time that the machine's CPUs have spent waiting for disks, in ticks.
long iowait() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  long user = 0, nice = 0, system = 0, idle = 0, wait = 0;
  stat >> cpu >> user >> nice >> system >> idle >> wait;
  return wait;
}

}  // namespace

TEST_CASE("a poller that does not exist is reported, and the program goes on", "[net][process]") {
  const outcome r = scenario("talk", "WEFT_POLLER=kqueue");
  CHECK(r.status == 0);
  CHECK(r.out == "hello\n");
  CHECK(r.err == "weft: WEFT_POLLER=kqueue: no such poller; allowed are io_uring, epoll and auto, and it is ignored\n");
}

TEST_CASE("a poller may be forced, and named", "[net][process]") {
  for (const std::string kind : {"io_uring", "epoll"}) {
    const outcome r = run_child(
        {"/usr/bin/env", "WEFT_DEBUG=poller", "WEFT_POLLER=" + kind, beside_this_program("net_scenarios"), "talk"});
    CHECK(r.status == 0);
    CHECK(r.out == "hello\n");
    CHECK(r.err.find("poller: " + kind) != std::string::npos);
  }
}

TEST_CASE("where io_uring is refused epoll takes its place", "[net][process]") {
  const outcome r = scenario("refused", "WEFT_DEBUG=poller");
  if (r.status == 77) return;  // no seccomp here
  CHECK(r.status == 0);
  CHECK(r.out == "hello\n");
  CHECK(r.err == "weft: poller: epoll (io_uring: Operation not permitted)\n");
  const outcome asked = scenario("refused", "WEFT_POLLER=io_uring");
  CHECK(asked.out == "hello\n");
  CHECK(asked.err == "weft: io_uring was requested but cannot be used: Operation not permitted\n");
}

TEST_CASE("a fiber that waits for a descriptor keeps the verdict from being spoken", "[net][process]") {
  for (const char* kind : {"WEFT_POLLER=io_uring", "WEFT_POLLER=epoll"}) {
    const outcome r = scenario("accept-for-ever", kind, 1);
    CHECK(r.timed_out);
    CHECK(r.err.empty());
  }
}

TEST_CASE("a descriptor that nobody waits for does not", "[net][process]") {
  for (const char* kind : {"WEFT_POLLER=io_uring", "WEFT_POLLER=epoll"}) {
    const outcome r = scenario("deadlock-beside-a-listener", kind, 30);
    CHECK(r.status == 2);
    CHECK(r.err.find("all fibers are asleep") != std::string::npos);
  }
}

TEST_CASE("nobody is called dead while the monitor delivers what has become ready", "[net][process][DL-11]") {
  for (const char* kind : {"WEFT_POLLER=io_uring", "WEFT_POLLER=epoll"})
    for (int i = 0; i < scaled(20); ++i) {
      const outcome r = scenario("ready-behind-a-blocked-p", kind);
      CAPTURE(kind, r.err, r.timed_out);
      REQUIRE(r.out == "heard all\n");
      REQUIRE(r.status == 0);
    }
}

TEST_CASE("who sleeps in the poller can be called from it, many times at once too", "[net][process][GO-27]") {
  const poller_kind kind = GENERATE(poller_kind::io_uring, poller_kind::epoll);
  options o;
  o.maxprocs = 1;
  o.poller = kind;
  in_world(o, [] {
    const hang_guard guard("a call into the poller");
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    wait_group all;
    all.go([l] { FACT(l.accept().err == errc::closed); });  // for which an M sleeps in the poller
    auto calls = make_chan<int>(8);
    std::vector<std::thread> threads;
    constexpr int each = scaled(2'000);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([calls] {
        for (int i = 0; i < each; ++i) calls.send(i);
        std::this_thread::sleep_for(50ms);  // all sleep again
        calls.send(-1);
      });
    int came = 0, ended = 0;
    while (ended < 4) ++(calls.recv().value() < 0 ? ended : came);
    FACT(came == 4 * each);
    for (std::thread& t : threads) t.join();
    const double before = cpu_seconds();
    sleep(300ms);
    FACT(cpu_seconds() - before < 0.15);  // no call remains that wakes it again and again
    FACT(!l.close());
    all.wait();
  });
  report_broken_fact();
}

TEST_CASE("who waits for a signal is not stuck, and who waits after the last one is wanted is", "[net][process]") {
  const outcome waits = scenario("waits-for-signal");
  CAPTURE(waits.err);
  CHECK(waits.out == "signal 14\n");
  CHECK(waits.status == 0);
  const outcome stuck = scenario("deadlock-after-signals", {}, 30);
  CAPTURE(stuck.err);
  CHECK(stuck.out == "signal 10\n");
  CHECK(stuck.status == 2);
  CHECK(stuck.err.find("all fibers are asleep") != std::string::npos);
}

TEST_CASE("a pipe in memory that nobody uses any more is a deadlock", "[net][process][pipe]") {
  const outcome r = scenario("deadlock-in-a-pipe", {}, 30);
  CHECK(r.status == 2);
  CHECK(r.err.find("all fibers are asleep") != std::string::npos);
}

TEST_CASE("what a process that was killed has listened at is free immediately", "[net][process]") {
  for (const std::string kind : {"io_uring", "epoll"})
    for (int i = 0; i < (sanitized ? 5 : 30); ++i) {
      const outcome r = scenario("killed-as-it-listens", "WEFT_POLLER=" + kind);
      REQUIRE(r.status == 128 + SIGKILL);
      const std::string address = r.out.substr(0, r.out.find('\n'));
      CAPTURE(kind, i, address);
      REQUIRE_FALSE(net::listen("tcp", address).err);
    }
}

TEST_CASE("waiting connections use no CPU and wait for no disk", "[net][process]") {
  on_each_poller([] {
    auto l = net::listen("tcp", "127.0.0.1:0").unwrap();
    auto [a, b] = tcp_pair();
    wait_group all;
    all.go([l] { FACT(l.accept().err == errc::closed); });
    all.go([a = a] {
      std::byte buf[1];
      FACT(a.read(buf).err == errc::closed);
    });
    // Once all are at rest; and other processes may wait for disks, but not in each of these times.
    bool idle = false, no_disk = sanitized;
    for (int i = 0; i < 50 && !(idle && no_disk); ++i) {
      const double before = cpu_seconds();
      const long disk = iowait();
      sleep(100ms);
      idle |= cpu_seconds() - before < 0.01;
      no_disk |= iowait() - disk < 9;  // of 10 ticks
    }
    FACT(idle && no_disk);
    l.close();
    a.close();
    all.wait();
  });
}

TEST_CASE("errors of a connection that was to be accepted are passed over, those of the listener are not",
          "[net][process][NET-08]") {
  const outcome r = run_child({"/usr/bin/env", "WEFT_POLLER=epoll", beside_this_program("net_faults"), "accept"});
  CHECK(r.status == 0);
  CHECK(r.out == "accepted after 3 failures\nToo many open files\n");
  CHECK(r.err.empty());
}

TEST_CASE("a connection that loses the race of two families is closed", "[net][process][NET-43]") {
  for (const std::string kind : {"io_uring", "epoll"}) {
    CAPTURE(kind);
    const outcome r = run_child({"/usr/bin/env", "WEFT_POLLER=" + kind, beside_this_program("net_faults"), "race"});
    if (r.status == 77) return;  // no IPv6 here
    CHECK(r.status == 0);
    CHECK(r.out == "all losers are closed\n");
    CHECK(r.err.empty());
  }
}

TEST_CASE("reading and writing allocate nothing", "[net][process][NET-56][NET-57]") {
  if (sanitized) {
    WARN("a sanitizer's allocations are not counted");
    return;
  }
  for (const std::string kind : {"io_uring", "epoll"})
    for (const std::string procs : {"1", "4"}) {
      CAPTURE(kind, procs);
      const outcome r = run_child(
          {"/usr/bin/env", "WEFT_POLLER=" + kind, "WEFT_MAXPROCS=" + procs, beside_this_program("net_allocations")});
      CHECK(r.status == 0);
      CHECK(r.out == "counted\nstream: 0\ndatagrams: 0\n");
    }
}

TEST_CASE("a thread takes signals though a thread that blocks them has started it", "[os][process]") {
  const outcome r = scenario("signals-in-threads-of-another");
  CAPTURE(r.err, r.timed_out);
  CHECK(r.status == 0);
  CHECK(r.out == "three signals\n");
}
