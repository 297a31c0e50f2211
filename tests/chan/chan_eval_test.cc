// Operands are evaluated once, before anything blocks, whether or not their case is chosen.
#include <string>
#include <vector>

#include "tests/chan/waiting.h"
#include "tests/support/fibers.h"

using namespace weft;
using namespace weft::testing;

namespace {

struct log_of_calls {
  std::string text;
  template <class T>
  T operator()(char name, T v) {
    text += name;
    return v;
  }
};

}  // namespace

TEST_CASE("a send evaluates its channel, then its value, once each, before it blocks", "[chan][CHAN-38]") {
  in_world(GENERATE(1, 4), [] {
    log_of_calls log;
    auto c = make_chan<int>();
    auto sends = async([&] { log('c', c).send(log('v', 1)); });
    until_sender(c);
    CHECK(log.text == "cv");
    CHECK(c.recv() == 1);
    sends.get();
    CHECK(log.text == "cv");
  });
}

TEST_CASE("every operand of a select is evaluated once, chosen or not", "[select][SEL-18]") {
  in_world(GENERATE(1, 4), [] {
    auto never = make_chan<int>(), full = make_chan<int>(1), ready = make_chan<int>(2);
    full.send(0);
    ready.send(7);
    log_of_calls log;
    int v = 0;
    const auto times = [&](char name) { return std::count(log.text.begin(), log.text.end(), name); };
    const int chosen = select(recv(log('a', never)), send(log('b', full), log('c', 1)), recv(log('d', ready), v),
                              send(log('e', chan<int>()), log('f', 2)), recv(log('g', never), v));
    CHECK(chosen == 2);
    for (char name = 'a'; name <= 'g'; ++name) CHECK(times(name) == 1);
    select(send(log('h', full), log('i', 3)), otherwise);
    CHECK(times('h') == 1);
    CHECK(times('i') == 1);
  });
}

TEST_CASE("operands of a list of cases are evaluated in the order in which they are written", "[select][SEL-18]") {
  in_world(1, [] {
    auto a = make_chan<int>(1), b = make_chan<int>(1);
    log_of_calls log;
    const auto value = [&](char name) { return log(name, 1); };
    std::vector<select_case> cases{send(a, value('1')), send(b, value('2')), send(chan<int>(), value('3'))};
    CHECK(log.text == "123");
    CHECK(select(std::span(cases)) < 2);
    CHECK(log.text == "123");
  });
}

TEST_CASE("operands are evaluated before a select blocks", "[select][SEL-18]") {
  in_world(GENERATE(1, 4), [] {
    auto c = make_chan<int>();
    log_of_calls log;
    auto selects = async([&] { return select(send(log('c', c), log('v', 1)), recv(make_chan<int>())); });
    until_sender(c);
    CHECK(log.text.size() == 2);
    CHECK(c.recv() == 1);
    CHECK(selects.get() == 0);
    CHECK(log.text.size() == 2);
  });
}

TEST_CASE("break and continue inside a select's switch are C++'s own", "[select][SEL-23]") {
  in_world(1, [] {
    auto a = make_chan<int>(1), b = make_chan<int>(1);
    int after = 0;
    a.send(1);
    switch (select(recv(a))) {
      case 0:
        if (a.len() == 0) break;  // leaves the switch alone
        FAIL("went on");
    }
    ++after;
    b.send(1);
    for (int i = 0; i < 3; ++i) {
      switch (select(recv(a), recv(b), otherwise)) {
        case 1: break;
        case 2: continue;  // of the loop: what is below does not run
        default: FAIL("a was empty");
      }
      ++after;
    }
    CHECK(after == 2);
    switch (select(otherwise)) {
      case 0: break;
      default: FAIL("no case but `otherwise`");
    }
  });
}
