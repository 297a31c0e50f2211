// Contexts: cancelling fibers, time limits, and values of a request.
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/go.h>
#include <weft/select.h>
#include <weft/stop_token.h>

#include <chrono>
#include <cstdio>
#include <stop_token>
#include <string>

#include "tests/examples/examples.h"

using namespace std::chrono_literals;

namespace {

// A fiber that ends when its context is cancelled.
void with_cancel() {
  auto numbers = weft::make_chan<int>();
  auto ended = weft::make_chan<void>();
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  weft::go([numbers, ended, ctx = ctx] {
    for (int n = 0; !numbers.send(ctx, n); ++n) continue;
    ended.close();
  });
  for (int i = 0; i < 3; ++i) std::printf("%d\n", *numbers.recv());
  cancel();
  ended.recv();
  std::puts("the generator has ended");
}
// Prints:
// 0
// 1
// 2
// the generator has ended

// A time limit for every operation that takes the context.
void with_timeout() {
  auto answers = weft::make_chan<int>();
  auto [ctx, cancel] = weft::with_timeout(weft::background(), 1ms);
  const auto [answer, err] = answers.recv(ctx);
  if (err == weft::errc::deadline_exceeded) std::puts(err.message().c_str());
  if (weft::sleep(ctx, 1h) == weft::errc::deadline_exceeded) std::puts("no sleep either");
}
// Prints:
// context deadline exceeded
// no sleep either

// A deadline of the parent holds for its children too, even if theirs is later.
void with_deadline() {
  const weft::time_point soon = weft::now() + 1h;
  auto [parent, cancel_parent] = weft::with_deadline(weft::background(), soon);
  auto [child, cancel_child] = weft::with_deadline(parent, soon + 1h);
  if (child.deadline() == soon) std::puts("the earlier deadline holds");
}
// Prints:
// the earlier deadline holds

// The first cancel says why.
void with_cancel_cause() {
  auto [ctx, cancel] = weft::with_cancel_cause(weft::background());
  cancel("the client has gone");
  cancel("too late to matter");
  std::printf("%s: %s\n", ctx.err().message().c_str(), ctx.cause().c_str());
}
// Prints:
// context canceled: the client has gone

// done is a channel, so that select can wait for the context and for other channels.
void context_in_select() {
  auto jobs = weft::make_chan<int>();
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  cancel();
  int job = 0;
  switch (weft::select(recv(jobs, job), recv(ctx.done()))) {
    case 0: std::printf("job %d\n", job); break;
    case 1: std::puts("cancelled"); break;
  }
}
// Prints:
// cancelled

// A value that belongs to a request. The type of the key is its name.
struct request_id {
  using type = int;
};
void with_value() {
  const weft::context ctx = weft::with_value<request_id>(weft::background(), 42);
  auto [child, cancel] = weft::with_cancel(ctx);
  std::printf("request %d\n", *child.value<request_id>());
  std::puts(to_string(child).c_str());
}
// Prints:
// request 42
// background.with_value.with_cancel

// Work that continues after its request: the values stay, the cancel does not reach it.
void without_cancel() {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  const weft::context log = weft::without_cancel(ctx);
  cancel();
  std::printf("%s, %s\n", ctx.err() ? "done" : "open", log.err() ? "done" : "open");
}
// Prints:
// done, open

// A function that is called in a fiber of its own when the context is done.
void context_after_func() {
  auto cleaned = weft::make_chan<void>();
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  const weft::stop_func stop = weft::after_func(ctx, [cleaned] {
    std::puts("cleaning up");
    cleaned.close();
  });
  cancel();
  cleaned.recv();
  if (!stop()) std::puts("it was called already");
}
// Prints:
// cleaning up
// it was called already

// For code that was written for std::jthread: a stop token that a context stops, and the reverse.
void stop_token() {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  const std::stop_token token = weft::to_stop_token(ctx);
  cancel();
  if (token.stop_requested()) std::puts("the token is stopped");

  std::stop_source source;
  const auto stoppable = weft::with_stop_token(weft::background(), source.get_token());
  source.request_stop();
  std::puts(stoppable.ctx.cause().c_str());
}
// Prints:
// the token is stopped
// stop requested

// The cause that a deadline has: it says which of several limits was the reason.
void with_timeout_cause() {
  auto [ctx, cancel] = weft::with_timeout_cause(weft::background(), 1ms, "the query took too long");
  ctx.done().recv();
  std::puts(ctx.cause().c_str());
  auto [other, cancel_other] = weft::with_deadline_cause(weft::background(), weft::now(), "too late from the start");
  std::puts(other.cause().c_str());
}
// Prints:
// the query took too long
// too late from the start

// todo marks a place where the caller's context is missing. It is never done.
void todo() {
  const weft::context ctx = weft::todo();
  std::printf("%s, %s\n", to_string(ctx).c_str(), ctx.done() ? "can be done" : "is never done");
}
// Prints:
// todo, is never done

const examples::group contexts({
    {"with_cancel", with_cancel},
    {"with_timeout", with_timeout},
    {"with_deadline", with_deadline},
    {"with_cancel_cause", with_cancel_cause},
    {"context_in_select", context_in_select},
    {"with_value", with_value},
    {"without_cancel", without_cancel},
    {"context_after_func", context_after_func},
    {"stop_token", stop_token},
    {"with_timeout_cause", with_timeout_cause},
    {"todo", todo},
});

}  // namespace
