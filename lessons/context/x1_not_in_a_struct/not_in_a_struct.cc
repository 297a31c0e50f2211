// X1: a context is not kept in a struct, unless the struct is a message that stands for one call.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct message {
  chan<int> response;
  std::string parameter;
  context ctx;  // of this one request
};

void process(const recv_chan<message>& q, duration work) {
  for (const message& m : q) {
    if (m.ctx.err()) continue;  // no fiber waits for it any more
    sleep(work);
    const int len = static_cast<int>(m.parameter.size());
    (void)m.response.send(m.ctx, len);  // or until its sender has given up
  }
}

void new_request(const context& ctx, const std::string& parameter, const chan<message>& q) {
  auto response = make_chan<int>();
  if (q.send(ctx, message{response, parameter, ctx})) return println("Context ended before q could see message");
  const auto [len, err] = response.recv(ctx);
  if (err) return println("Context ended before q could process message");
  println("The len of {} is {}", parameter, *len);
}

void right() {
  auto q = make_chan<message>();
  go([=] { process(q, 0ms); });
  new_request(background(), "hi", q);
  new_request(background(), "hello", q);
  q.close();
}

void before() {
  auto q = make_chan<message>();
  auto [ctx, cancel] = with_cancel(background());
  cancel();
  new_request(ctx, "hi", q);
  go([=] { process(q, 0ms); });
  new_request(background(), "hello", q);
  q.close();
}

void during() {
  auto q = make_chan<message>();
  go([=] { process(q, lesson::scaled(100ms)); });
  const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(20ms));
  new_request(ctx, "hi", q);
  new_request(background(), "hello", q);
  q.close();
}

const lesson::page page{"X1",
                        "not_in_a_struct",
                        {{"right", "two requests to a worker", right},
                         {"before", "cancelled before the worker has seen it", before},
                         {"during", "cancelled while the worker is at it", during}}};

}  // namespace
