// The node that can be cancelled: state, and a place in a tree of its like.
//
// Cancelling goes down the tree, and when it returns the whole subtree is done, also when others
// cancel parts of it at the same time. A node's lock is held for a few instructions and never
// together with another:
//   1  A node is marked under its lock: cause and error. Whoever marks it closes its done channel
//      and does what the node is there for (stop a timer, start a function), without locks.
//   2  It stays in its parent's list until its own subtree is done.
//   3  Whoever finds it marked already goes through its children all the same. So an empty list under
//      a marked node means that all below is done, whoever did it, and nobody waits for anybody.
//
// Refused: a lock held down the whole tree, as Go does: a leaf's with_cancel would spin for as long
// as ten thousand wake-ups take; and recursion: a fiber's stack ends at some depth.
#pragma once
#include <weft/context.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "runtime/clock.h"

namespace weft::detail {

using cause_words = std::shared_ptr<const std::string>;  // null: the error's own message

struct cancel_node : context_node {
  // The nearest above that can be cancelled, whose list this node is in; null: none. Set once.
  cancel_node* const above;
  std::int64_t deadline_ns = never;    // the earliest that holds here; set once

  explicit cancel_node(context_node* of) noexcept
      : context_node(of), above(of->canceler), deadline_ns(above ? above->deadline_ns : never) {
    canceler = this;
  }
  const char* name() const noexcept override { return "with_cancel"; }

  // Any thread, without the lock. 0: not done; else an errc.
  int status() const noexcept { return status_.load(std::memory_order_acquire); }  // [context-done]
  // Once status() is not 0.
  const cause_words& cause() const noexcept { return cause_; }
  // Made at the first call.
  const recv_chan<void>& done();
  // Ends the little while in which status() says more than the done channel does.
  void close_done() noexcept;

  // 1: true if it was this call that marked it.
  bool mark(errc why, const cause_words& cause) noexcept;
  // The first child, with a reference for the caller, or null.
  cancel_node* first_child() noexcept;
  // Into `above`'s list, which keeps a reference; false if `above` is done already, or this is.
  bool link() noexcept;
  void unlink() noexcept;

  std::size_t count_children() noexcept;

  // Of one source per node, that is asked to stop when the node is marked.
  std::stop_token stop_token();

  // What else is to be done by whoever marked it. Without locks.
  virtual void canceled() noexcept {}

 private:
  spin_lock lock_;
  std::atomic<int> status_{0};                           // written under lock_
  cause_words cause_;                                    // written before status_
  std::atomic<const recv_chan<void>*> done_{nullptr};    // written under lock_: null, &own_done_ or one for all
  recv_chan<void> own_done_;                             // written before done_
  cancel_node* children_ = nullptr;                      // under lock_
  cancel_node* next_ = nullptr;                          // these three under above->lock_
  cancel_node* prev_ = nullptr;
  bool linked_ = false;
  std::unique_ptr<std::stop_source> stops_;              // under lock_ until it is there, then constant
};

// Marks `root` unless it is, and returns when it and all below are done and it has left its parent.
// The caller holds a reference.
void cancel_tree(cancel_node* root, errc why, const cause_words& cause) noexcept;

// Puts a new node under its parent. If the parent is done the node is too, for the parent's cause.
void adopt(cancel_node* child) noexcept;

// How many contexts would be cancelled by, and right after, this one: for tests.
std::size_t count_children(const context& ctx);

// A new context over `n`, sharing the reference with whoever holds `n`.
context context_over(const node_ref<cancel_node>& n);

}  // namespace weft::detail
