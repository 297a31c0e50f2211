// The node that can be cancelled: its state, and its place in a tree of such nodes.
//
// Cancelling walks down the tree. When it returns the whole subtree is done, also when other
// callers cancel parts of it at the same time. A node's lock is held for a few instructions and
// never together with another node's lock:
//   1  A caller marks the node under its lock: cause and error. The same caller then closes the
//      done channel and runs the node's action (stop a timer, start a function), without locks.
//   2  The node stays in its parent's list until its own subtree is done.
//   3  A caller that finds the node marked walks through its children too. So an empty list under a
//      marked node means that its whole subtree is done, and no caller waits for another.
//
// Refused: one lock held during the walk, as in Go: a with_cancel on a leaf would spin during ten
// thousand wake-ups. Refused: recursion: a fiber's stack is limited.
#pragma once
#include <weft/context.h>
#include <weft/detail/in_line.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "runtime/clock.h"
#include "sched/simulated.h"

namespace weft::detail {

using cause_words = std::shared_ptr<const std::string>;  // null: the error's own message

struct cancel_node : context_node {
  // The nearest ancestor that can be cancelled, whose list holds this node; null: none. Set once.
  cancel_node* const above;
  std::int64_t deadline_ns = never;    // the earliest that holds here; set once

  explicit cancel_node(context_node* of) noexcept
      : context_node(of), above(of->canceler), deadline_ns(above ? above->deadline_ns : never) {
    canceler = this;
    if (in_line.simulated) [[unlikely]]
      schedule_ = sim_schedule();
  }
  const char* name() const noexcept override { return "with_cancel"; }

  // Any thread, without the lock. 0: not done; else an errc.
  int status() const noexcept { return status_.load(std::memory_order_acquire); }  // [context-done]
  // Once status() is not 0.
  const cause_words& cause() const noexcept { return cause_; }
  // Made at the first call.
  const recv_chan<void>& done();
  // Closes the done channel if status() is set and the channel is still open.
  void close_done() noexcept;

  // Step 1. Returns true if this call marked the node.
  bool mark(errc why, const cause_words& cause) noexcept;
  // The first child, with a reference for the caller, or null.
  cancel_node* first_child() noexcept;
  // Adds this node to `above`'s list, which holds a reference. Returns false if `above` or this
  // node is done.
  bool link() noexcept;
  void unlink() noexcept;

  std::size_t count_children() noexcept;

  // Returns the token of the node's stop source. Marking the node requests its stop.
  std::stop_token stop_token();

  // The node's action; the caller that marked the node runs it, without locks.
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
  std::uint64_t schedule_ = 0;                           // that it was made in; 0: in none. Constant
  std::unique_ptr<std::stop_source> stops_;              // under lock_ until it is there, then constant
};

// Marks `root` unless it is marked. Returns when it and its subtree are done and it has left its
// parent. The caller holds a reference.
void cancel_tree(cancel_node* root, errc why, const cause_words& cause) noexcept;

// Adds a new node to its parent. If the parent is done, the node becomes done with the parent's
// cause.
void adopt(cancel_node* child) noexcept;

// Returns the number of contexts that cancelling this one would cancel. For tests.
std::size_t count_children(const context& ctx);

// Returns a new context over `n`. Adds a reference to `n`.
context context_over(const node_ref<cancel_node>& n);

}  // namespace weft::detail
