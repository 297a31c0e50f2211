// A function as the child of a context: when the node is marked, it starts a fiber.
#include <weft/detail/spawn.h>

#include "chan/context/cancel_node.h"

namespace weft {

using namespace detail;

namespace {

enum class fate { waits, started, stopped };

struct func_node final : cancel_node {
  std::unique_ptr<callback> f;   // owned by the caller that changes `ahead` from `waits`
  const void* const site;
  std::atomic<fate> ahead{fate::waits};

  func_node(context_node* of, std::unique_ptr<callback> g, const void* s) noexcept
      : cancel_node(of), f(std::move(g)), site(s) {}
  const char* name() const noexcept override { return "after_func"; }

  bool decide(fate to) noexcept {
    fate open = fate::waits;
    return ahead.compare_exchange_strong(open, to, std::memory_order_relaxed);
  }
  void canceled() noexcept override {
    if (decide(fate::started)) start();
  }
  void start() {
    keep_node(this);
    auto run = [n = node_ref<func_node>(this)]() mutable {
      const std::unique_ptr<callback> g = std::move(n.get()->f);
      n = {};
      g->call();
    };
    try {
      spawn<plain_record<decltype(run)>>(site, std::as_const(run));
    } catch (const panic&) {  // no world to start it in, or it has just ended: `run` was not moved from
      run();
    }
  }
};

}  // namespace

namespace detail {

stop_func call_after(const context& ctx, std::unique_ptr<callback> f, const void* site) {
  auto* n = new func_node(&ctx.node(), std::move(f), site);
  stop_func stop{node_ref<cancel_node>(n)};
  adopt(n);
  return stop;
}

}  // namespace detail

bool stop_func::operator()() const noexcept {
  auto* n = static_cast<func_node*>(n_.get());
  if (!n || !n->decide(fate::stopped)) return false;
  cancel_tree(n, errc::canceled, nullptr);  // out of its parent's list
  n->f.reset();
  return true;
}

}  // namespace weft
