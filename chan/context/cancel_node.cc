// Cancelling a tree of contexts. The header has the promises.
//
// Note [context-done]: the cause is written, then `status_` is stored with release; a reader of a
// status other than 0 acquires it. The done channel is closed after that, so a waiter that it wakes
// finds the error. A reader that finds the error first closes the channel: the two never differ.
#include "chan/context/cancel_node.h"

namespace weft::detail {
namespace {

// The done channel of all contexts that were done before their done() was called. To make it is no
// operation: under simulation that would be a scheduling point of the first schedule alone, inside
// the guard of a static.
const recv_chan<void>& closed_for_all() {
  static const recv_chan<void>& c = *[] {
    auto* made = new recv_chan<void>(make_chan<void>());
    channel_of(*made)->begin_closed();
    return made;
  }();
  return c;
}

}  // namespace

const recv_chan<void>& cancel_node::done() {
  if (const recv_chan<void>* d = done_.load(std::memory_order_acquire)) return *d;  // [context-channel]
  const recv_chan<void> made = make_chan<void>();
  // It is of the context's schedule, not of that which runs.
  if (schedule_ == 0) channel_of(made)->leave_schedule();
  else if (schedule_ != sim_schedule()) channel_of(made)->schedule_has_ended();
  section hold(lock_);
  if (const recv_chan<void>* d = done_.load(std::memory_order_relaxed)) return *d;
  own_done_ = made;
  done_.store(&own_done_, std::memory_order_release);  // [context-channel]
  return own_done_;
}

// Note [context-channel]: `own_done_` is written before done_ points at it, and not after.

void cancel_node::close_done() noexcept {
  const recv_chan<void>* d = done_.load(std::memory_order_acquire);  // [context-channel]
  if (d == &own_done_ && !channel_of(own_done_)->closed_approx()) channel_of(own_done_)->close_once();
}

bool cancel_node::mark(errc why, const cause_words& cause) noexcept {
  if (status()) return false;
  const recv_chan<void>* closed = &closed_for_all();
  std::stop_source* stops = nullptr;
  {
    section hold(lock_);
    if (status_.load(std::memory_order_relaxed)) return false;
    cause_ = cause;
    // The error first: a reader of the closed channel reads the error without this lock.
    status_.store(static_cast<int>(why), std::memory_order_release);                             // [context-done]
    if (!done_.load(std::memory_order_relaxed)) done_.store(closed, std::memory_order_release);  // [context-channel]
    stops = stops_.get();
  }
  close_done();
  if (stops) stops->request_stop();
  canceled();
  return true;
}

cancel_node* cancel_node::first_child() noexcept {
  section hold(lock_);
  if (children_) children_->add_ref();
  return children_;
}

bool cancel_node::link() noexcept {
  add_ref();
  {
    section hold(above->lock_);
    // The caller that marks this node unlinks it afterwards, under the same lock: either it finds
    // the node linked, or this function finds it marked.
    if (!above->status() && !status()) {
      next_ = above->children_;
      prev_ = nullptr;
      if (next_) next_->prev_ = this;
      above->children_ = this;
      linked_ = true;
      return true;
    }
  }
  drop_ref(this);
  return false;
}

void cancel_node::unlink() noexcept {
  if (!above) return;
  {
    section hold(above->lock_);
    if (!linked_) return;
    linked_ = false;
    if (prev_) prev_->next_ = next_;
    else above->children_ = next_;
    if (next_) next_->prev_ = prev_;
  }
  drop_ref(this);
}

std::stop_token cancel_node::stop_token() {
  auto made = std::make_unique<std::stop_source>();
  std::stop_token token = made->get_token();
  section hold(lock_);
  if (stops_) return stops_->get_token();
  if (!status_.load(std::memory_order_relaxed)) {
    stops_ = std::move(made);
    return token;
  }
  hold.leave();
  made->request_stop();
  return token;
}

std::size_t cancel_node::count_children() noexcept {
  section hold(lock_);
  std::size_t n = 0;
  for (const cancel_node* c = children_; c; c = c->next_) ++n;
  return n;
}

void cancel_tree(cancel_node* root, errc why, const cause_words& cause) noexcept {
  // Depth first. `above` is the way back up. The walk holds a reference to each node on the way
  // except the root, so none is freed during the walk.
  root->mark(why, cause);
  root->close_done();  // if another caller has marked it and has not closed the channel yet
  for (cancel_node* at = root;;) {
    if (cancel_node* child = at->first_child()) {
      child->mark(static_cast<errc>(at->status()), at->cause());
      child->close_done();
      at = child;
      continue;
    }
    at->unlink();
    if (at == root) return;
    cancel_node* up = at->above;
    context_node::drop_ref(at);
    at = up;
  }
}

void adopt(cancel_node* child) noexcept {
  if (!child->above || child->link()) return;
  if (child->status()) return;
  cancel_tree(child, static_cast<errc>(child->above->status()), child->above->cause());
}

std::size_t count_children(const context& ctx) {
  cancel_node* c = ctx.node().canceler;
  return c ? c->count_children() : 0;
}

void keep_node(cancel_node* n) noexcept { n->add_ref(); }
void drop_node(cancel_node* n) noexcept { context_node::drop_ref(n); }

context context_over(const node_ref<cancel_node>& n) {
  n.get()->add_ref();
  return context(node_ref<context_node>(n.get()));
}

}  // namespace weft::detail
