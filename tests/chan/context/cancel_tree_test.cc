// Trees of contexts, cancelled from many places at the same time.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/chan/context/support.h"

using namespace weft;
using namespace weft::testing;
using namespace std::chrono_literals;

namespace {

// A tree with `fan` children per context, breadth first.
std::vector<cancelable_with_cause> tree_of(std::size_t n, std::size_t fan) {
  std::vector<cancelable_with_cause> tree;
  tree.reserve(n);
  tree.push_back(with_cancel_cause(background()));
  while (tree.size() < n) tree.push_back(with_cancel_cause(tree[(tree.size() - 1) / fan].ctx));
  return tree;
}

}  // namespace

TEST_CASE("a tree whose contexts are all cancelled at once, in any order, is done", "[context][CTX-12]") {
  hang_guard guard("simultaneous cancels block each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::mt19937 random(42);
    for (int round = 0; round < scaled(200); ++round) {
      auto tree = tree_of(100, 4);
      std::shuffle(tree.begin(), tree.end(), random);
      wait_group all;
      for (auto& node : tree) {
        all.go([&node] { node.cancel(); });
        if (random() % 2) all.go([&node] { node.ctx.done().recv(); });
      }
      all.wait();
      for (auto& node : tree)
        if (!is_over(node.ctx, errc::canceled) || detail::count_children(node.ctx)) FAIL("a context is not done");
    }
  });
}

TEST_CASE("each cancel returns only when all below is done, whoever cancels it", "[context][CTX-02][CTX-12]") {
  hang_guard guard("simultaneous cancels block each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> not_done = 0;
    for (int round = 0; round < scaled(400); ++round) {
      auto chain = tree_of(30, 1);
      wait_group all;
      for (const std::size_t at : {0u, 5u, 10u, 15u, 20u, 25u})
        all.go([&chain, &not_done, at] {
          chain[at].cancel();
          for (std::size_t i = chain.size(); i > at; --i)
            if (!is_closed(chain[i - 1].ctx.done()) || !chain[i - 1].ctx.err()) ++not_done;
        });
      all.wait();
    }
    CHECK(not_done == 0);
  });
}

TEST_CASE("a cancel that finds another one half way does the rest itself", "[context][CTX-02][CTX-12]") {
  const bool from_the_top = GENERATE(false, true);
  in_world(GENERATE(1, 4), [from_the_top] {
    auto [top, cancel_top] = with_cancel(background());
    auto [mid, cancel_mid] = with_cancel(top);
    auto [leaf, cancel_leaf] = with_cancel(mid);
    const cancel_func* again = from_the_top ? &cancel_top : &cancel_mid;
    // Runs inside the first cancel, when `mid` is marked and `leaf` is not.
    int called = 0;
    const std::stop_callback half_way(to_stop_token(mid), [&, leaf = leaf, again = again] {
      ++called;
      CHECK_FALSE(leaf.err());
      (*again)();
      CHECK(is_over(leaf, errc::canceled));
    });
    cancel_top();
    CHECK(called == 1);
    CHECK(is_over(leaf, errc::canceled));
    CHECK(detail::count_children(top) == 0);
  });
}

TEST_CASE("an error without a closed done channel is never seen, nor the other way round", "[context][CTX-02]") {
  hang_guard guard("a cancel is never seen");
  in_world(GENERATE(2, 4, 16), [] {
    std::atomic<int> differ = 0;
    for (int round = 0; round < scaled(3000); ++round) {
      auto [ctx, cancel] = with_cancel(background());
      if (round % 2) ctx.done();
      wait_group all;
      for (int i = 0; i < 2; ++i)
        all.go([&, ctx = ctx, i] {
          for (;;) {
            if (i == 0 && ctx.err()) {
              if (!is_closed(ctx.done())) ++differ;
              return;
            }
            if (i == 1 && is_closed(ctx.done())) {
              if (!ctx.err() || ctx.cause().empty()) ++differ;
              return;
            }
            yield();
          }
        });
      dither(round % 300);
      cancel();
      all.wait();
    }
    CHECK(differ == 0);
  });
}

TEST_CASE("who cancels a child as soon as the parent is done does not block the parent's cancel", "[context][CTX-13]") {
  hang_guard guard("interlocked cancels");
  in_world(GENERATE(1, 2, 4, 16), [] {
    for (int round = 0; round < scaled(2000); ++round) {
      auto [parent, cancel_parent] = with_cancel(background());
      auto child = std::make_shared<cancelable>(with_cancel(parent));
      const context kept = child->ctx;
      wait_group all;
      all.go([&, parent = parent, child = std::move(child)] {
        parent.done().recv();
        child->cancel();
      });
      if (round % 2) yield();
      cancel_parent();
      CHECK(is_over(kept, errc::canceled));
      all.wait();
    }
  });
}

TEST_CASE("a child made while its parent is cancelled is done for the parent's cause", "[context][CTX-16]") {
  hang_guard guard("a child of a cancelled parent is never done");
  in_world(GENERATE(1, 2, 4, 16), [] {
    std::atomic<int> wrong = 0;
    for (int round = 0; round < scaled(500); ++round) {
      auto [parent, cancel_parent] = with_cancel_cause(background());
      wait_group all;
      for (int i = 0; i < 8; ++i)
        all.go([&, parent = parent, i] {
          dither(i * 40);
          auto [child, cancel_child] = i % 2 ? with_cancel(parent) : with_timeout(parent, 1h);
          child.done().recv();
          if (child.cause() != "why" || child.err() != errc::canceled) ++wrong;
        });
      dither(round % 400);
      if (round % 2) yield();
      cancel_parent("why");
      all.wait();
      if (detail::count_children(parent)) ++wrong;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("the cause can be asked for while others cancel", "[context][CTX-22]") {
  hang_guard guard("a cause never comes");
  in_world(GENERATE(2, 4, 16), [] {
    std::atomic<int> wrong = 0;
    for (int round = 0; round < scaled(1000); ++round) {
      auto [ctx, cancel] = with_cancel_cause(background());
      wait_group all;
      for (const char* why : {"one of two long enough causes", "the other of the two causes"})
        all.go([&cancel, why] { cancel(why); });
      all.go([&, ctx = ctx] {
        std::string seen;
        while ((seen = ctx.cause()).empty()) yield();
        if (seen != "one of two long enough causes" && seen != "the other of the two causes") ++wrong;
        if (ctx.cause() != seen) ++wrong;
      });
      all.wait();
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("children come and go under one parent from all sides and leave nothing", "[context][CTX-05][X12]") {
  hang_guard guard("children block each other");
  in_world(GENERATE(1, 2, 4, 16), [] {
    auto [parent, cancel] = with_cancel(background());
    wait_group all;
    for (int i = 0; i < 8; ++i)
      all.go([&, parent = parent, i] {
        for (int round = 0; round < scaled(2000); ++round) {
          auto [child, cancel_child] = round % 5 ? with_cancel(parent) : with_timeout(parent, 1h);
          auto [grandchild, cancel_grandchild] = with_cancel(child);
          if ((round + i) % 3 == 0) cancel_child();
          if ((round + i) % 7 == 0) yield();
        }
      });
    all.wait();
    CHECK(detail::count_children(parent) == 0);
    CHECK(is_live(parent));
  });
}

TEST_CASE("deriving and cancelling start no fibers", "[context][CTX-18]") {
  in_world(GENERATE(1, 4), [] {
    const std::uint64_t before = stats().spawned;
    auto tree = tree_of(100, 3);
    std::vector<cancelable> timed;
    for (auto& node : tree) timed.push_back(with_timeout(node.ctx, 1h));
    tree[0].cancel();
    for (auto& t : timed) CHECK(t.ctx.err() == errc::canceled);
    CHECK(stats().spawned == before);
  });
}
