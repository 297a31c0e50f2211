// A world begins and ends: what run and go promise at the edges.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child.h"
#include "tests/support/fibers.h"
#include "tests/support/hang_guard.h"
#include "tests/support/scale.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

// What the panic that `f` throws says; empty if it throws none.
template <class F>
std::string panic_text(F f) {
  try {
    f();
  } catch (const panic& p) {
    return p.what();
  }
  return {};
}

std::string dump_text() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  dump_fibers(file.get());
  std::rewind(file.get());
  std::string text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) text.append(buffer, n);
  return text;
}

}  // namespace

TEST_CASE("run returns what the main fiber returns", "[sched][run]") {
  CHECK(run([] { return 42; }) == 42);
  CHECK(run([] { return -1; }) == -1);
  CHECK(run([] {}) == 0);
  CHECK(run(options{.maxprocs = 3}, [] { return 7; }) == 7);
}

TEST_CASE("run may be called again and again", "[sched][run]") {
  hang_guard guard("a later world hangs");
  for (int i = 0; i < scaled(400); ++i) {
    int procs = 1 + i % 5;
    int got = run(options{.maxprocs = procs}, [&] {
      wait_group all;
      std::atomic<int> ran = 0;
      for (int k = 0; k < 10; ++k) all.go([&] { ++ran; });
      all.wait();
      return maxprocs() == procs ? ran.load() : -1;
    });
    REQUIRE(got == 10);
  }
}

TEST_CASE("the main fiber begins on the thread that called run", "[sched][run][GO-25]") {
  int procs = GENERATE(1, 4);
  pid_t caller = gettid(), first = 0, locked = 0;
  in_world(procs, [&] {
    first = gettid();
    lock_os_thread();
    for (int i = 0; i < 20; ++i) sleep(100us);
    locked = gettid();
    unlock_os_thread();
  });
  CHECK(first == caller);
  CHECK(locked == caller);
}

TEST_CASE("no other M takes the main fiber before it has begun", "[sched][run][GO-25]") {
  for (int i = 0; i < scaled(2000); ++i) {
    pid_t first = 0;
    run(options{.maxprocs = 4}, [&] { first = gettid(); });
    REQUIRE(first == gettid());
  }
}

TEST_CASE("run returns on the thread that called it", "[sched][run]") {
  hang_guard guard("run does not return");
  pid_t caller = gettid();
  for (int i = 0; i < scaled(200); ++i) {
    in_world(4, [] {  // let main move about
      auto c = make_chan<int>();
      for (int k = 0; k < 8; ++k) go([c, k] { c.send(k); });
      for (int k = 0; k < 8; ++k) c.recv();
    });
    REQUIRE(gettid() == caller);
  }
}

TEST_CASE("run may be called from any thread", "[sched][run]") {
  int got = 0;
  std::thread([&] { got = run(options{.maxprocs = 2}, [] { return 5; }); }).join();
  CHECK(got == 5);
}

TEST_CASE("run inside a fiber panics", "[sched][run]") {
  std::string text;
  in_world(2, [&] { text = panic_text([] { run([] {}); }); });
  CHECK_THAT(text, Contains("run"));
}

TEST_CASE("run on another thread while a world runs panics", "[sched][run]") {
  std::string text;
  in_world(2, [&] {
    std::thread other([&] { text = panic_text([] { run([] {}); }); });
    blocking([&] { other.join(); });
  });
  CHECK_THAT(text, Contains("run"));
}

TEST_CASE("go outside a running world panics", "[sched][run]") {
  std::string text = panic_text([] { go([] {}); });
  CAPTURE(text);
  CHECK_THAT(text, Contains("weft::run"));
  in_world(1, [] {});
  CHECK(panic_text([] { go([] {}); }) == text);  // after a world, too
}

TEST_CASE("what a refused go had captured is destroyed", "[sched][run]") {
  auto held = std::make_shared<int>(1);
  CHECK_THROWS_AS(go([held] {}), panic);
  CHECK(held.use_count() == 1);
}

TEST_CASE("a maxprocs out of range panics and names value and range", "[sched][run]") {
  for (int bad : {-1, 1025, 1'000'000}) {
    std::string text = panic_text([bad] { run(options{.maxprocs = bad}, [] {}); });
    CHECK_THAT(text, Contains(std::to_string(bad)) && Contains("1024"));
  }
  std::string inside;
  in_world(1, [&] { inside = panic_text([] { maxprocs(1025); }); });
  CHECK_THAT(inside, Contains("1025") && Contains("1024"));
}

TEST_CASE("a stack size out of range panics and names the value", "[sched][run]") {
  for (std::size_t bad : {std::size_t{1}, std::size_t{4096}, std::size_t{2} << 30}) {
    std::string text = panic_text([bad] { run(options{.stack_size = bad}, [] {}); });
    CHECK_THAT(text, Contains(std::to_string(bad)));
    CHECK_THAT(text, Contains("16") && Contains("1"));  // the range
    std::string inside;
    in_world(1, [&] { inside = panic_text([bad] { go(fiber_options{.stack_size = bad}, [] {}); }); });
    CHECK_THAT(inside, Contains(std::to_string(bad)));
  }
}

TEST_CASE("a world may begin after one was refused", "[sched][run]") {
  CHECK_THROWS_AS(run(options{.maxprocs = -1}, [] {}), panic);
  CHECK(run([] { return 3; }) == 3);
}

TEST_CASE("go copies its arguments when it is called", "[sched][run]") {
  in_world(2, [] {
    int value = 1;
    auto got = make_chan<int>();
    go([got](int v) { got.send(v); }, value);
    value = 2;
    CHECK(got.recv() == 1);
  });
}

TEST_CASE("go takes what can only be moved", "[sched][run]") {
  in_world(2, [] {
    auto got = make_chan<int>();
    go([got](std::unique_ptr<int> p) { got.send(*p); }, std::make_unique<int>(5));
    CHECK(got.recv() == 5);
    go([got, p = std::make_unique<int>(6)] { got.send(*p); });
    CHECK(got.recv() == 6);
  });
}

TEST_CASE("what a fiber captured is destroyed when it ends", "[sched][run]") {
  in_world(GENERATE(1, 4), [] {
    auto held = std::make_shared<int>(1);
    wait_group all;
    for (int i = 0; i < 50; ++i) all.go([held] { yield(); });
    all.wait();
    for (int i = 0; i < 1000 && held.use_count() > 1; ++i) sleep(1ms);  // wait() may be ahead of the ends
    CHECK(held.use_count() == 1);
  });
}

TEST_CASE("a plain thread may start fibers while a world runs", "[sched][run]") {
  hang_guard guard("fibers started by a plain thread do not run");
  in_world(GENERATE(1, 4), [] {
    std::atomic<int> ran = 0;
    const int n = scaled(2000);
    std::thread other([&] {
      for (int i = 0; i < n; ++i) go([&] { ++ran; });
    });
    blocking([&] { other.join(); });
    while (ran < n) yield();
  });
}

TEST_CASE("a plain thread joins a world of one P while its fibers use the same channel", "[sched][solo]") {
  for (int i = 0; i < scaled(40); ++i) {
    outcome o = run_child({beside_this_program("sched_scenarios"), "plain-thread-joins-one-p"});
    CAPTURE(i, o.err, o.timed_out);
    REQUIRE(o.status == 0);
  }
}

TEST_CASE("when main returns, the others run no more", "[sched][run][GO-32]") {
  static std::atomic<long> turns;
  turns = 0;
  in_leaky_world(GENERATE(1, 4), [] {
    for (int i = 0; i < 4; ++i) {
      go([] {
        for (;;) {
          ++turns;
          yield();
        }
      });
    }
    while (turns < 100) yield();
  });
  long after = turns;
  std::this_thread::sleep_for(20ms);
  CHECK(turns == after);
}

TEST_CASE("a world that left blocked fibers behind is followed by a clean one", "[sched][run][GO-32]") {
  hang_guard guard("a world after one with abandoned fibers hangs");
  for (int i = 0; i < scaled(100); ++i) {
    in_leaky_world(1 + i % 4, [] {
      auto c = make_chan<int>();
      for (int k = 0; k < 20; ++k) go([c] { c.recv(); });
      for (int k = 0; k < 20; ++k) go([] { sleep(1h); });
      for (int k = 0; k < 20; ++k) go([] {});
      yield();
    });
    std::size_t fibers = 0;
    in_world(1 + i % 4, [&] { fibers = num_fibers(); });
    REQUIRE(fibers == 1);
  }
}

TEST_CASE("num_fibers counts the fibers that have not ended", "[sched][GO-30]") {
  in_world(GENERATE(1, 4), [] {
    CHECK(num_fibers() == 1);
    auto gate = make_chan<void>();
    for (int i = 0; i < 10; ++i) go([gate] { gate.recv(); });
    CHECK(num_fibers() == 11);
    for (int i = 0; i < 5; ++i) gate.send();
    for (int i = 0; i < 10'000 && num_fibers() > 6; ++i) sleep(100us);
    CHECK(num_fibers() == 6);
    gate.close();
  });
}

TEST_CASE("a dump lists as many fibers as num_fibers counts", "[sched][GO-30]") {
  in_world(GENERATE(1, 4), [] {
    auto gate = make_chan<void>();
    for (int i = 0; i < 7; ++i) go([gate] { gate.recv(); });
    go(fiber_options{.name = "the named one"}, [gate] { gate.recv(); });
    std::size_t listed = 0;
    std::string text;
    for (int i = 0; i < 1000 && (listed != 9 || text.find("not run yet") != text.npos); ++i) {
      sleep(1ms);
      text = dump_text();
      listed = 0;
      for (std::size_t at = 0; (at = text.find("fiber ", at)) != std::string::npos; ++at)
        if (at == 0 || text[at - 1] == '\n') ++listed;
    }
    CAPTURE(text);
    CHECK(listed == 9);
    CHECK(num_fibers() == 9);
    CHECK_THAT(text, Contains("the named one") && Contains("chan receive"));
    gate.close();
  });
}

TEST_CASE("the main fiber is number one in every world", "[sched][GO-31]") {
  for (int i = 0; i < 3; ++i) {
    std::uint64_t id = 0;
    in_world(1 + i, [&] { id = this_fiber::id(); });
    CHECK(id == 1);
  }
}

TEST_CASE("ids are unique and not used again", "[sched][GO-31]") {
  in_world(GENERATE(1, 2, 4, 16), [] {
    constexpr int waves = 10, each = 500;
    std::vector<std::uint64_t> ids(waves * each);
    for (int w = 0; w < waves; ++w) {
      wait_group all;
      for (int i = 0; i < each; ++i) {
        all.go([&ids, at = static_cast<std::size_t>(w * each + i)] {
          ids[at] = this_fiber::id();
          yield();
          if (this_fiber::id() != ids[at]) ids[at] = 0;
        });
      }
      all.wait();
    }
    std::set<std::uint64_t> unique(ids.begin(), ids.end());
    CHECK(unique.size() == ids.size());
    CHECK(unique.count(0) == 0);
    CHECK(unique.count(1) == 0);
  });
}

TEST_CASE("a plain thread has the id 0 and no name", "[sched][GO-31]") {
  CHECK(this_fiber::id() == 0);
  CHECK(this_fiber::name().empty());
  in_world(1, [] {});
  CHECK(this_fiber::id() == 0);
}

TEST_CASE("a fiber has the name it was given", "[sched]") {
  in_world(2, [] {
    auto name = make_chan<std::string>();
    go(fiber_options{.name = "reader of the great book"}, [name] { name.send(std::string(this_fiber::name())); });
    CHECK(name.recv() == "reader of the great book");
    go([name] { name.send(std::string(this_fiber::name())); });
    CHECK(name.recv() == "");
  });
}

TEST_CASE("yield and sleep work on a plain thread", "[sched]") {
  auto start = now();
  yield();
  sleep(2ms);
  CHECK(now() - start >= 2ms);
}

TEST_CASE("an exception caught in the main fiber does not end it", "[sched][run]") {
  int got = run([] {
    try {
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
      return 9;
    }
  });
  CHECK(got == 9);
}

namespace {

// A library keeps such a variable for each thread. exit() may destroy what its destructor uses.
struct per_thread {
  static inline std::atomic<int> made{0}, destroyed{0};
  per_thread() { ++made; }
  ~per_thread() {
    std::this_thread::sleep_for(5ms);
    ++destroyed;
  }
};

}  // namespace

TEST_CASE("when run returns, its threads have destroyed their thread-local variables", "[sched][run]") {
  hang_guard guard("run waits for its threads");
  const auto caller = std::this_thread::get_id();
  for (int i = 0; i < 5; ++i) {
    const int before = per_thread::made;
    run([&] {
      std::latch here(4);  // four threads
      wait_group all;
      for (int k = 0; k < 4; ++k)
        all.go([&] {
          blocking([&] {
            here.arrive_and_wait();
            if (std::this_thread::get_id() == caller) return;  // its variable lives on
            thread_local per_thread mine;
          });
        });
      all.wait();
    });
    REQUIRE(per_thread::made >= before + 3);
    REQUIRE(per_thread::destroyed == per_thread::made);
  }
}
