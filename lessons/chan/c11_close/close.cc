// C11: what a close says, to whom, and what must not be done.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

void broadcast() {
  auto stop = make_chan<void>();
  std::atomic<int> woken{0};
  wait_group waiting;
  for (int i = 0; i < 100; ++i)
    waiting.go([&, stop] {
      stop.recv();
      ++woken;
    });
  yield();
  stop.close();
  waiting.wait();
  println("one close woke {}", woken.load());
}

void drained() {
  auto c = make_chan<int>(3);
  c.send(1);
  c.send(2);
  c.close();
  int v = -1;
  bool ok = false;
  for (int i = 0; i < 3; ++i) {
    select(recv(c, v, ok));
    println("{}, {}", v, ok);
  }
}

void forbidden() {
  const auto attempt = [](auto what) {
    try {
      what();
      println("nothing happened");
    } catch (const panic& e) {
      println("panic: {}", e.what());
    }
  };
  auto c = make_chan<int>();
  c.close();
  attempt([=] { c.send(1); });
  attempt([=] { c.close(); });
  attempt([] { chan<int>().close(); });
}

void nil() {
  const chan<int> c;
  println("nil: receive {}, send {}", c.try_recv() ? "worked" : "not possible",
          c.try_send(1) ? "worked" : "not possible");
  println("and waiting for it:");
  c.recv();
}

const lesson::page page{"C11",
                        "close",
                        {{"broadcast", "every waiting fiber is woken", broadcast},
                         {"drained", "what is in the buffer is received first", drained},
                         {"wrong", "send to and close what is closed", forbidden},
                         {"wrong-nil", "wait for a nil channel", nil}}};

}  // namespace
