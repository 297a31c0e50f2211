// L9: a slow call with a time limit, and a sender without a receiver.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct answer {
  std::string record;
  std::error_code err;
};

answer search(const std::string&) {
  sleep(lesson::scaled(200ms));
  return {"some value", {}};
}

// Returns "" or the error. The search sends its answer to `ch`.
std::string process(const std::string& term, duration limit, chan<answer> ch) {
  auto [ctx, cancel] = with_timeout(background(), limit);

  go({.name = "search"}, [=] { ch.send(search(term)); });

  answer a;
  switch (select(recv(ctx.done()), recv(ch, a))) {
    case 0: return "search canceled";
    default:
      if (a.err) return a.err.message();
      println("Received: {}", a.record);
      return "";
  }
}

void try_it(duration limit, chan<answer> ch) {
  const lesson::stopwatch watch;
  const std::string err = process("term", lesson::scaled(limit), std::move(ch));
  println("{} after {} ms", err.empty() ? "no error" : err, watch.ms());
}

void wrong() { try_it(100ms, make_chan<answer>()); }
void right() { try_it(100ms, make_chan<answer>(1)); }
void in_time() { try_it(3s, make_chan<answer>()); }

const lesson::page page{
    "L9",
    "process",
    {{"wrong", "no fiber receives the late answer: its sender stays blocked", wrong, {.leaks = 1, .later = 1s}},
     {"right", "room for one answer: the sender can always put it down", right},
     {"in-time", "with 3 s the answer comes first, and the bug hides", in_time}}};

}  // namespace
