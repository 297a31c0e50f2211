// R8: ping-pong, a nil channel in a select, and a buffer without bounds.
#include <deque>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct ball {
  int hits = 0;
};

void player(const std::string& name, const chan<std::shared_ptr<ball>>& table) {
  for (;;) {
    auto b = *table.recv();
    println("{} {}", name, ++b->hits);
    sleep(lesson::scaled(100ms));
    table.send(std::move(b));
  }
}

void ping_pong() {
  auto table = make_chan<std::shared_ptr<ball>>();
  go([=] { player("ping", table); });
  go([=] { player("pong", table); });
  table.send(std::make_shared<ball>());  // game on
  sleep(lesson::scaled(1s));
  println("grabbed after {} hits", (*table.recv())->hits);  // game over
}

void no_ball() {
  auto table = make_chan<std::shared_ptr<ball>>();
  go([=] { player("ping", table); });
  go([=] { player("pong", table); });
  table.recv();
}

// A nil channel is never ready, so a case is switched off by making its channel nil.
void nil_in_select() {
  auto a = make_chan<std::string>(1), b = make_chan<std::string>(1);
  a.send("a");
  b.send("b");
  a = chan<std::string>();
  std::string s;
  select(recv(a, s), recv(b, s));
  println("got {}", s);
}

// Receives without delay, and keeps what the reader has not received yet.
void keep(const chan<int>& in, const chan<int>& out) {
  std::deque<int> pending;
  for (bool open = true; open || !pending.empty();) {
    int v = 0;
    bool ok = false;
    const int first = pending.empty() ? 0 : pending.front();
    switch (select(recv(open ? in : chan<int>(), v, ok), send(pending.empty() ? chan<int>() : out, first))) {
      case 0: ok ? pending.push_back(v) : void(open = false); break;
      case 1: pending.pop_front(); break;
    }
  }
  out.close();
}

void unbounded() {
  auto in = make_chan<int>(), out = make_chan<int>();
  go([=] { keep(in, out); });
  for (int i = 0; i < 10; ++i) in.send(i);
  in.close();
  std::string all;
  for (int v : out) all += fmt::format("{} ", v);
  println("{}", all);
}

const lesson::page page{"R8",
                        "advanced_patterns",
                        {{"ping-pong", "two players, one ball", ping_pong, {.leaks = 2}},
                         {"no-ball", "two players, no ball", no_ball},
                         {"nil", "a case that is switched off", nil_in_select},
                         {"unbounded", "a buffer that never refuses", unbounded}}};

}  // namespace
