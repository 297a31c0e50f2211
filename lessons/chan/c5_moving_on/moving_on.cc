// C5: ask all copies of a database, take the first answer, and move on.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

constexpr std::size_t copies = 3;

// Each copy sends its answer if it does not have to wait, and drops it otherwise.
void query(const chan<std::string>& ch) {
  for (std::size_t i = 0; i < copies; ++i)
    go([=] {
      switch (select(send(ch, std::string("an answer")), otherwise)) {
        case 0: break;
        case 1: break;  // another copy was first
      }
    });
}

void ask(std::size_t room) {
  auto ch = make_chan<std::string>(room);
  query(ch);
  sleep(lesson::scaled(50ms));  // the main fiber is a little late
  println("{}", *ch.recv());
}

void wrong() { ask(0); }
void right() { ask(1); }

const lesson::page page{"C5",
                        "moving_on",
                        {{"wrong", "no room: an answer without a waiting receiver is dropped", wrong},
                         {"right", "room for one: the first answer is kept", right}}};

}  // namespace
