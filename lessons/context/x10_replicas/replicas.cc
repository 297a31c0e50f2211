// X10: the request goes to all replicas, the first answer is the result, and the others are
// cancelled.
#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct answer {
  int replica;
  std::error_code err;
};

// Replica i takes (i + 1) times 50 ms.
answer search(const context& ctx, int i) { return {i, sleep(ctx, lesson::scaled(50ms) * (i + 1))}; }

constexpr int replicas = 4;
std::atomic<int> cancelled;

result<int> first(const context& parent) {
  const auto [ctx, cancel] = with_cancel(parent);  // ends the replicas that still work
  auto c = make_chan<answer>(replicas);
  for (int i = 0; i < replicas; ++i)
    go([=, ctx = ctx] {
      const answer a = search(ctx, i);
      if (a.err) ++cancelled;
      c.send(a);
    });
  answer a;
  if (select(recv(c, a), recv(ctx.done())) == 0 && !a.err) return {a.replica, {}};
  return {-1, ctx.err()};
}

void ask(duration limit) {
  cancelled = 0;
  {
    const auto [ctx, cancel] = with_timeout(background(), lesson::scaled(limit));
    const auto [replica, err] = first(ctx);
    println("{}", err ? err.message() : fmt::format("replica {} was first", replica));
  }
  sleep(lesson::scaled(50ms));
  println("{} of {} replicas cancelled", cancelled.load(), replicas);
}

void wins() { ask(10s); }
void too_late() { ask(10ms); }

const lesson::page page{
    "X10",
    "replicas",
    {{"right", "the first answer wins", wins}, {"too-late", "10 ms for replicas of 50 and more", too_late}}};

}  // namespace
