// Fibers that nothing can wake any more, of each kind. Go has a profile of them.
#include <weft/sim.h>
#include <weft/weft.h>

#include <memory>
#include <mutex>
#include <string>

#include "tests/support/fibers.h"
#include "tests/support/lost_on_purpose.h"

using namespace weft;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

struct kind {
  const char* waits;
  void (*body)();
};
const kind kinds[] = {
    {"chan receive (nil chan)", [] { chan<int>().recv(); }},
    {"chan send (nil chan)", [] { chan<int>().send(1); }},
    {"select (no cases)", [] { select(); }},
    {"chan receive", [] { make_chan<int>().recv(); }},
    {"chan send", [] { make_chan<int>().send(1); }},
    {"select",
     [] {
       const auto a = make_chan<int>(), b = make_chan<int>();
       select(recv(a), send(b, 1));
     }},
    {"wait_group wait",
     [] {
       wait_group g;
       g.add(1);
       g.wait();
     }},
    {"mutex lock",
     [] {
       mutex m;
       m.lock();
       m.lock();
     }},
    {"mutex lock",
     [] {
       const auto m = std::make_unique<mutex>();
       m->lock();
       m->lock();
     }},
    {"rw_mutex lock",
     [] {
       rw_mutex m;
       m.lock_shared();
       m.lock();
     }},
    {"rw_mutex lock",
     [] {
       rw_mutex m;
       m.lock();
       m.lock_shared();
     }},
    {"cond wait",
     [] {
       mutex m;
       cond c;
       std::unique_lock hold(m);
       c.wait(hold);
     }},
};

// The usual ways to leak, and their repaired twins.
void range_without_close(bool repaired) {
  const auto ch = make_chan<int>();
  for (int i = 0; i < 3; ++i)
    go([ch] {
      for (const int v : ch) sim::require(v >= 0);
    });
  for (int i = 0; i < 3; ++i) ch.send(i);
  if (repaired) ch.close();
}

void worker_never_stopped(bool repaired) {
  const auto ch = make_chan<int>();
  const auto done = make_chan<void>();
  go([=] {
    while (select(recv(ch), recv(done)) == 0) {
    }
  });
  ch.send(1);
  if (repaired) done.close();
}

void double_send(bool repaired) {
  const auto ch = make_chan<int>();
  go([=] {
    ch.send(0);
    if (!repaired) ch.send(1);
  });
  ch.recv();
}

void early_return(bool repaired) {
  const auto ch = make_chan<int>(repaired ? 1 : 0);
  go([ch] { ch.send(1); });  // without a receiver
}

void first_of_many(bool repaired) {
  const auto ch = make_chan<int>(repaired ? 5 : 0);
  for (int i = 0; i < 5; ++i) go([ch, i] { ch.send(i); });
  ch.recv();
}

void timeout(bool repaired) {
  const auto ch = make_chan<int>(repaired ? 1 : 0);
  auto [ctx, cancel] = with_cancel(background());
  cancel();
  go([ch] { ch.send(1); });
  select(recv(ch), recv(ctx.done()));
}

}  // namespace

TEST_CASE("each kind of wait that nothing can end is a leak with the wait's name", "[sim][DIAG-11]") {
  [[maybe_unused]] const weft::testing::lost_on_purpose frames;
  for (const kind& k : kinds) {
    const sim::report r = sim::explore({.seed = 1, .schedules = 20}, [&k] { go(k.body); });
    INFO(k.waits << ": " << r);
    CHECK(r.what == sim::verdict::leak);
    CHECK_THAT(r.message, Contains(std::string("fiber 2 [") + k.waits + "]"));
  }
}

TEST_CASE("a fiber that a living fiber can still wake is no leak", "[sim][DIAG-12]") {
  const sim::report r = sim::explore({.seed = 1, .schedules = 50}, [] {
    const auto ch = make_chan<int>();
    wait_group g;
    g.go([ch] { sim::require(ch.recv() == 1); });
    sim::wait();
    sleep(1h);
    ch.send(1);
    g.wait();
  });
  INFO(r);
  CHECK(r);
}

TEST_CASE("the usual ways to leak are found, and their repaired twins pass", "[sim][DIAG-13]") {
  [[maybe_unused]] const weft::testing::lost_on_purpose frames;
  for (const auto program :
       {range_without_close, worker_never_stopped, double_send, early_return, first_of_many, timeout}) {
    const sim::report broken = sim::explore({.seed = 1}, [program] { program(false); });
    INFO(broken);
    CHECK(broken.what == sim::verdict::leak);
    const sim::report twin = sim::explore({.seed = 1, .schedules = 200}, [program] { program(true); });
    INFO(twin);
    CHECK(twin);
  }
}
