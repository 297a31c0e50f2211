// M7: without a buffer the receive comes before the end of the send. With one it does not.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void hand_over(std::size_t capacity) {
  static lesson::racy<const char*> a = "";
  a = "";
  auto c = make_chan<int>(capacity);
  go([=] {
    sleep(lesson::scaled(50ms));  // a fiber that is late
    a = "hello, world";
    c.recv();
  });
  c.send(0);
  println("'{}'", static_cast<const char*>(a));
}

void wrong() { hand_over(1); }
void right() { hand_over(0); }

const lesson::page page{"M7",
                        "receive_send",
                        {{"wrong", "capacity 1: the send does not wait for the receive", wrong},
                         {"right", "capacity 0: the send ends when it has been received", right}}};

}  // namespace
