// C9: a consumer that takes one value and leaves, and four ways to treat those behind it.
#include <initializer_list>
#include <optional>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// `done`, if there is one, ends every stage: by tokens or by a close, both can be received.
using signal = chan<void>;

// Closes on every way out, so that the next stage ends too. Go's defer close(out).
struct close_at_end {
  chan<int> out;
  ~close_at_end() { out.close(); }
};

// Returns false if done is closed.
bool pass_on(const chan<int>& out, int n, const signal& done) { return select(send(out, n), recv(done)) == 0; }

recv_chan<int> gen(std::initializer_list<int> numbers, const signal& done, std::size_t room = 0) {
  auto out = make_chan<int>(room);
  go([=, numbers = std::vector(numbers)] {
    const close_at_end close{out};
    for (int n : numbers)
      if (!pass_on(out, n, done)) return;
  });
  return out;
}

recv_chan<int> sq(recv_chan<int> in, const signal& done) {
  auto out = make_chan<int>();
  go([=] {
    const close_at_end close{out};
    for (int n : in)
      if (!pass_on(out, n * n, done)) return;
  });
  return out;
}

recv_chan<int> merge(const std::vector<recv_chan<int>>& inputs, const signal& done, std::size_t room = 0) {
  auto out = make_chan<int>(room);
  auto wg = std::make_shared<wait_group>();
  for (const auto& in : inputs)
    wg->go([=] {
      for (int n : in)
        if (!pass_on(out, n, done)) return;
    });
  go([=] {
    wg->wait();
    out.close();
  });
  return out;
}

void take_one(const recv_chan<int>& out) { println("{}", *out.recv() > 0 ? "took one" : "nothing"); }

// A nil channel is never ready: no stage can be stopped.
void wrong() {
  const auto in = gen({2, 3}, signal());
  take_one(merge({sq(in, signal()), sq(in, signal())}, signal()));
}

// Room for each value: no sender waits, as long as the number of values does not change.
void wrong_room() {
  const auto in = gen({2, 3}, signal(), 2);
  take_one(merge({sq(in, signal()), sq(in, signal())}, signal(), 1));
}
void wrong_more() {
  const auto in = gen({2, 3, 5}, signal(), 2);
  take_one(merge({sq(in, signal()), sq(in, signal())}, signal(), 1));
}

// One token for each sender that may wait: the receiver has to count them.
void tokens() {
  const auto done = make_chan<void>(2);
  const auto in = gen({2, 3}, signal());
  take_one(merge({sq(in, signal()), sq(in, signal())}, done));
  done.send();
  done.send();
}

void right() {
  const auto done = make_chan<void>();
  struct close_done {
    const signal& s;
    ~close_done() { s.close(); }
  } at_end{done};
  const auto in = gen({2, 3, 5}, done);
  take_one(merge({sq(in, done), sq(in, done)}, done));
}

const lesson::page page{"C9",
                        "stopping_short",
                        {{"wrong", "no stop signal: a sender and the closer stay", wrong, {.leaks = 2}},
                         {"wrong-room", "buffers that are just large enough", wrong_room},
                         {"wrong-more", "the same with one value more", wrong_more, {.leaks = 2}},
                         {"tokens", "a token for each sender", tokens},
                         {"right", "one close stops all", right}}};

}  // namespace
