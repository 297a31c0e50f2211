// Contexts with a deadline.
//
// The timer starts a fiber that cancels: it fires under its heap's lock, and a tree may be large.
// It is armed before the node is added to its parent. So the caller that marks the node finds a
// timer that is armed, has fired, or was never armed, and can remove it.
#include "chan/context/cancel_node.h"
#include "sched/spawn.h"
#include "sched/timers.h"

namespace weft {

using namespace detail;

namespace {

struct deadline_node final : cancel_node, timer_node {
  cause_words words;
  const void* site;

  deadline_node(context_node* of, std::int64_t at, cause_words w, const void* s) noexcept
      : cancel_node(of), words(std::move(w)), site(s) {
    deadline_ns = due = at;
    fire = start_canceling;
  }
  const char* name() const noexcept override { return "with_deadline"; }
  // Waits for a running start_canceling(), so that no timer touches the node afterwards.
  void canceled() noexcept override { remove_timer(this); }

  void expire() noexcept { cancel_tree(this, errc::deadline_exceeded, words); }

  static std::int64_t start_canceling(timer_node* t, std::int64_t, ready_list& list) {
    auto* n = static_cast<deadline_node*>(t);
    n->add_ref();
    spawn_into(
        list, [held = node_ref<deadline_node>(n)] { held.get()->expire(); }, n->site);
    n->let_go();
    return never;
  }
};

cancelable until(const context& parent, std::int64_t at, std::string_view cause, const void* site) {
  const cancel_node* above = parent.node().canceler;
  if (above && above->deadline_ns <= at) return with_cancel(parent);
  cause_words words = cause.empty() ? nullptr : std::make_shared<const std::string>(cause);
  node_ref<deadline_node> n(new deadline_node(&parent.node(), at, std::move(words), site));
  const bool already = at <= now_ns();
  if (!already) arm_timer(n.get());
  adopt(n.get());
  if (already) n.get()->expire();
  n.get()->add_ref();
  node_ref<cancel_node> shared(n.get());
  return {context_over(shared), cancel_func(std::move(shared))};
}

}  // namespace

cancelable with_deadline(const context& parent, time_point at) {
  return until(parent, at.time_since_epoch().count(), {}, __builtin_return_address(0));
}
cancelable with_timeout(const context& parent, duration d) {
  return until(parent, deadline_after(d), {}, __builtin_return_address(0));
}
cancelable with_deadline_cause(const context& parent, time_point at, std::string_view cause) {
  return until(parent, at.time_since_epoch().count(), cause, __builtin_return_address(0));
}
cancelable with_timeout_cause(const context& parent, duration d, std::string_view cause) {
  return until(parent, deadline_after(d), cause, __builtin_return_address(0));
}

}  // namespace weft
