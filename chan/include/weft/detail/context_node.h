// The implementation of a context: nodes that point at their parents, with reference counts.
//
// Reading a value or the done state must not walk through a chain of nodes of other kinds. So each
// node points at the nearest node of either kind, itself included.
#pragma once
#include <weft/detail/requirements.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace weft::detail {

struct cancel_node;
struct value_node;

struct context_node {
  // Set once. A root (background, todo) has no parent; it is static and not counted.
  context_node* const parent;
  cancel_node* canceler = nullptr;     // null: never done
  const value_node* values = nullptr;

  constexpr explicit context_node(context_node* of) noexcept : parent(of) {
    if (!of) return;
    of->add_ref();
    canceler = of->canceler;
    values = of->values;
  }
  context_node(const context_node&) = delete;
  context_node& operator=(const context_node&) = delete;
  virtual ~context_node() = default;  // drop_ref() drops the parent's reference

  // Returns this node's part of the printed name.
  virtual const char* name() const noexcept = 0;

  void add_ref() noexcept {
    if (parent) refs_.fetch_add(1, std::memory_order_relaxed);
  }
  // Frees nodes upwards in a loop: a recursion over a long chain would overflow a fiber's stack.
  static void drop_ref(context_node* n) noexcept {
    while (n && n->parent && n->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {  // [refs]
      context_node* up = n->parent;
      delete n;
      n = up;
    }
  }

 private:
  std::atomic<std::uint32_t> refs_{1};
};

struct value_node : context_node {
  const void* const key;
  const void* value = nullptr;         // in the derived node
  const value_node* const outer;       // the next one up

  value_node(context_node* of, const void* k) noexcept : context_node(of), key(k), outer(of->values) { values = this; }
  const char* name() const noexcept override { return "with_value"; }
};

template <class Key>
struct value_of final : value_node {
  typename Key::type held;
  template <class V>
  value_of(context_node* of, const void* k, V&& v) try : value_node(of, k), held(std::forward<V>(v)) {
    value = &held;
  } catch (...) {
    drop_ref(of);  // the node's own destructor does not run
  }
};

// Its address identifies the key.
template <class Key>
inline char key_of{};

inline void keep_node(context_node* n) noexcept { n->add_ref(); }
inline void drop_node(context_node* n) noexcept { context_node::drop_ref(n); }
void keep_node(cancel_node* n) noexcept;
void drop_node(cancel_node* n) noexcept;

// One reference to a node, or none.
template <class Node>
class node_ref {
 public:
  node_ref() noexcept = default;
  explicit node_ref(Node* adopted) noexcept : n_(adopted) {}
  node_ref(const node_ref& o) noexcept : n_(o.n_) {
    if (n_) keep_node(n_);
  }
  node_ref(node_ref&& o) noexcept : n_(std::exchange(o.n_, nullptr)) {}
  node_ref& operator=(node_ref o) noexcept {
    std::swap(n_, o.n_);
    return *this;
  }
  ~node_ref() {
    if (n_) drop_node(n_);
  }
  Node* get() const noexcept { return n_; }

 private:
  Node* n_ = nullptr;
};

}  // namespace weft::detail
