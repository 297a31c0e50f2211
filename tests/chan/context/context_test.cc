// The state of a context, and how a context is derived from another.
#include <string>
#include <thread>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

struct user {
  using type = std::string;
};
struct depth {
  using type = int;
};
struct trace_id {
  using type = std::unique_ptr<int>;
};

}  // namespace

TEST_CASE("background and todo are never done and have nothing", "[context][CTX-01]") {
  in_world(1, [] {
    for (const context& c : {background(), todo()}) {
      CHECK_FALSE(c.done());
      CHECK_FALSE(c.err());
      CHECK_FALSE(c.deadline());
      CHECK(c.cause().empty());
      CHECK(c.value<user>() == nullptr);
    }
    CHECK(to_string(background()) == "background");
    CHECK(to_string(todo()) == "todo");
    CHECK(background() == background());
    CHECK_FALSE(background() == todo());
  });
}

TEST_CASE("a context's name says how it came about", "[context][CTX-01]") {
  in_world(1, [] {
    auto [a, cancel_a] = with_cancel(background());
    auto [b, cancel_b] = with_timeout(with_value<depth>(a, 1), 1h);
    CHECK(to_string(b) == "background.with_cancel.with_value.with_deadline");
    CHECK(to_string(without_cancel(b)) == "background.with_cancel.with_value.with_deadline.without_cancel");
    CHECK(to_string(context()) == "nil");
  });
}

TEST_CASE("when cancel returns the context and all derived from it are done", "[context][CTX-02]") {
  in_world(GENERATE(1, 4), [] {
    auto [top, cancel] = with_cancel(with_value<depth>(background(), 1));
    const context wrapped = with_value<depth>(top, 2);
    auto [child, cancel_child] = with_cancel(wrapped);
    auto [timed, cancel_timed] = with_timeout(child, 1h);
    const context leaf = with_value<user>(timed, "gopher");
    for (const context& c : {top, wrapped, child, timed, leaf}) CHECK(is_live(c));
    cancel();
    for (const context& c : {top, wrapped, child, timed, leaf}) {
      CHECK(is_over(c, errc::canceled));
      CHECK(c.cause() == "context canceled");
      CHECK(c.err().message() == "context canceled");
    }
  });
}

TEST_CASE("cancelling again changes nothing", "[context][CTX-03]") {
  in_world(1, [] {
    auto [ctx, cancel] = with_cancel_cause(background());
    cancel("first");
    cancel("second");
    cancel();
    CHECK(ctx.cause() == "first");
    CHECK(ctx.err() == errc::canceled);
  });
}

TEST_CASE("a cancel that goes out of scope has cancelled", "[context][CTX-02]") {
  in_world(1, [] {
    context kept;
    {
      auto [ctx, cancel] = with_cancel(background());
      kept = ctx;
      CHECK(is_live(kept));
    }
    CHECK(is_over(kept, errc::canceled));

    auto one = with_cancel(background());
    auto two = with_cancel(background());
    one.cancel = std::move(two.cancel);  // the overwritten one cancels, the moved one does not
    CHECK(is_over(one.ctx, errc::canceled));
    CHECK(is_live(two.ctx));
  });
}

TEST_CASE("a cancelled child leaves its parent alone and its parent's list", "[context][CTX-05][X12]") {
  in_world(GENERATE(1, 4), [] {
    auto [parent, cancel] = with_cancel(background());
    for (int i = 0; i < 100; ++i) {
      auto [child, cancel_child] = with_cancel(parent);
      auto [timed, cancel_timed] = with_timeout(parent, 1h);
      auto [past, cancel_past] = with_deadline(parent, now() - 1s);
      CHECK(detail::count_children(parent) == 2);
      cancel_child();
      cancel_timed();
      CHECK(detail::count_children(parent) == 0);
    }
    CHECK(is_live(parent));
  });
}

TEST_CASE("a timeout that has passed takes its context out of the parent's list", "[context][CTX-05][X12]") {
  hang_guard guard("a context never times out");
  in_world(GENERATE(1, 4), [] {
    auto [parent, cancel] = with_cancel(background());
    auto [timed, cancel_timed] = with_timeout(parent, 1ms);
    timed.done().recv();
    for (int i = 0; i < 10'000 && detail::count_children(parent) != 0; ++i) sleep(100us);
    CHECK(detail::count_children(parent) == 0);
    CHECK(is_live(parent));
  });
}

TEST_CASE("a child of a cancelled context is born cancelled for the same cause", "[context][CTX-15]") {
  in_world(1, [] {
    auto [parent, cancel] = with_cancel_cause(background());
    cancel("no more");
    auto [child, cancel_child] = with_cancel(with_value<depth>(parent, 3));
    auto [timed, cancel_timed] = with_timeout(parent, 1h);
    for (const context& c : {child, timed}) {
      CHECK(is_over(c, errc::canceled));
      CHECK(c.cause() == "no more");
    }
    CHECK(detail::count_children(parent) == 0);
  });
}

TEST_CASE("a cause goes down the tree and not up", "[context][CTX-20]") {
  in_world(1, [] {
    auto [top, cancel_top] = with_cancel_cause(background());
    auto [mid, cancel_mid] = with_cancel_cause(top);
    auto [leaf, cancel_leaf] = with_cancel_cause(mid);
    cancel_leaf("the leaf's");
    cancel_mid("the middle's");
    CHECK(top.cause().empty());
    CHECK(mid.cause() == "the middle's");
    CHECK(leaf.cause() == "the leaf's");
    cancel_top("");
    CHECK(top.cause() == "context canceled");
    CHECK(mid.cause() == "the middle's");
  });
}

TEST_CASE("values are found through any number of wrappers, the nearest first", "[context][CTX-21]") {
  in_world(1, [] {
    const context named = with_value<user>(with_value<depth>(background(), 1), "gopher");
    auto [live, cancel] = with_cancel(named);
    const context deeper = with_value<depth>(live, 2);
    CHECK(*deeper.value<depth>() == 2);
    CHECK(*named.value<depth>() == 1);
    CHECK(*deeper.value<user>() == "gopher");
    CHECK(deeper.value<trace_id>() == nullptr);
    const context moved = with_value<trace_id>(deeper, std::make_unique<int>(7));
    CHECK(**moved.value<trace_id>() == 7);
    CHECK(with_value<depth>(moved, 4).value<trace_id>() == moved.value<trace_id>());
  });
}

TEST_CASE("a context without cancel keeps only the values", "[context][CTX-21]") {
  in_world(1, [] {
    auto [ctx, cancel] = with_timeout_cause(with_value<depth>(background(), 5), 1h, "too slow");
    const context detached = without_cancel(ctx);
    cancel();
    CHECK_FALSE(detached.done());
    CHECK_FALSE(detached.err());
    CHECK_FALSE(detached.deadline());
    CHECK(detached.cause().empty());
    CHECK(*detached.value<depth>() == 5);
    auto [below, cancel_below] = with_cancel(detached);
    CHECK(is_live(below));
  });
}

TEST_CASE("a nil context panics on use", "[context][CTX-10]") {
  in_world(1, [] {
    const context nil;
    CHECK_FALSE(nil);
    CHECK_THROWS_AS(nil.err(), panic);
    CHECK_THROWS_AS(nil.done(), panic);
    CHECK_THROWS_AS(nil.value<user>(), panic);
    CHECK_THROWS_AS(with_cancel(nil), panic);
    CHECK_THROWS_AS(with_timeout(nil, 1s), panic);
    CHECK_THROWS_AS(with_value<user>(nil, "x"), panic);
    CHECK_THROWS_AS(without_cancel(nil), panic);
    auto c = make_chan<int>(1);
    CHECK_THROWS_AS(c.recv(nil), panic);
  });
}

TEST_CASE("a done channel is the same at each look, also when the first look comes late", "[context][CTX-02]") {
  in_world(1, [] {
    auto [ctx, cancel] = with_cancel(background());
    CHECK(ctx.done() == ctx.done());
    CHECK(with_value<depth>(ctx, 1).done() == ctx.done());
    auto [late, cancel_late] = with_cancel(background());
    cancel_late();
    CHECK(late.done() == late.done());
    CHECK(is_closed(late.done()));
    CHECK_FALSE(late.done() == ctx.done());
  });
}

TEST_CASE("a chain of a hundred thousand contexts is cancelled and freed without recursion", "[context][CTX-02]") {
  hang_guard guard("a deep chain of contexts hangs");
  in_world(GENERATE(1, 4), [] {
    std::vector<cancelable> chain;
    const int n = scaled(100'000);
    chain.push_back(with_cancel(background()));
    for (int i = 1; i < n; ++i) {
      const context above = chain.back().ctx;
      chain.push_back(with_cancel(i % 3 ? above : with_value<depth>(above, i)));
    }
    const context leaf = chain.back().ctx;
    chain.front().cancel();
    CHECK(is_over(leaf, errc::canceled));
    for (const cancelable& c : chain)
      if (c.ctx.err() != errc::canceled) FAIL("a link of the chain is not done");
    chain.clear();
    CHECK(*leaf.value<depth>() > 0);
  });
}

TEST_CASE("contexts work on plain threads, and where no world runs", "[context][CTX-02]") {
  auto [ctx, cancel] = with_cancel_cause(background());
  auto [child, cancel_child] = with_cancel(ctx);
  std::error_code seen;
  std::thread waits([&, child = child] {
    auto [v, err] = make_chan<int>().recv(child);
    seen = err;
  });
  std::this_thread::sleep_for(5ms);
  cancel("from outside");
  waits.join();
  CHECK(seen == errc::canceled);
  CHECK(child.cause() == "from outside");
  CHECK_THROWS_AS(with_timeout(background(), 1h), panic);  // a deadline needs a world to tick in
}

namespace {

struct refused_value {
  explicit refused_value(int) { throw std::runtime_error("no value"); }
};
struct refused_key {
  using type = refused_value;
};
struct counted_key {
  using type = std::shared_ptr<int>;
};

}  // namespace

TEST_CASE("a value that cannot be made leaves its parent to its owner", "[context]") {
  const auto shared = std::make_shared<int>(1);
  {
    const context parent = with_value<counted_key>(background(), shared);
    CHECK_THROWS_WITH(with_value<refused_key>(parent, 1), "no value");
  }
  CHECK(shared.use_count() == 1);
}
