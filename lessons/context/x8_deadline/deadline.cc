// X8: 150 ms for some work.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct data {
  std::string user_id;
};

void work_for(duration d) {
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(150ms));
  auto ch = make_chan<data>(1);  // so that late work can be put down
  go([=] {
    sleep(lesson::scaled(d));
    ch.send(data{"123"});
  });
  data d1;
  switch (select(recv(ch, d1), recv(ctx.done()))) {
    case 0: println("work complete {{{}}}", d1.user_id); break;
    case 1: println("work cancelled"); break;
  }
}

void in_time() { work_for(50ms); }
void too_late() { work_for(200ms); }
void by_deadline() {
  const auto [ctx, cancel] = with_deadline(background(), now() + lesson::scaled(150ms));
  println("{}", sleep(ctx, lesson::scaled(1s)).message());
}

const lesson::page page{"X8",
                        "deadline",
                        {{"in-time", "work of 50 ms", in_time},
                         {"too-late", "work of 200 ms", too_late},
                         {"point", "a point in time instead of a duration", by_deadline}}};

}  // namespace
