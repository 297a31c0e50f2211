// Contexts: telling a tree of fibers that it is over, why, and until when they have time. Go's context.
//
//   auto [ctx, cancel] = weft::with_timeout(parent, 50ms);   // cancelled when `cancel` goes out of scope
//   auto [v, err] = ch.recv(ctx);                            // errc::canceled, errc::deadline_exceeded, or a value
//
// A context is a shared handle and never changes but for becoming done, once; all may be used from
// many fibers and plain threads at a time. When a context is cancelled, so are all that were derived
// from it, before cancel returns. Deadlines need a running world.
//
// Every blocking operation has an overload that takes a context first. If the context is done when
// it is called, it does nothing and returns the context's error, also where it would not have had to
// wait. If the context becomes done while it waits, one of the two happens and not both: an error
// means that nothing was received, sent, locked or acquired.
#pragma once
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/detail/context_node.h>
#include <weft/detail/spawn.h>
#include <weft/errors.h>
#include <weft/timer.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

// Copyable and cheap to copy. A default-constructed one is Go's nil: using it throws weft::panic.
class context {
 public:
  context() noexcept = default;

  // Closed when the context is done; a nil channel if it never can be. The handle lives as long as
  // this context: copy it to keep it. Go's Done.
  const recv_chan<void>& done() const;
  // errc::canceled or errc::deadline_exceeded once the context is done, no error before. Go's Err.
  std::error_code err() const;
  // Why it is done, in words: what was given to the cancel that was first, else err()'s message.
  // Empty before. Go's context.Cause.
  std::string cause() const;
  // When it will be done at the latest, if anything says so. Go's Deadline.
  std::optional<time_point> deadline() const;
  // The value that with_value put under Key nearest to this context, or null. It lives as long as the
  // context. Go's Value.
  template <class Key>
  const typename Key::type* value() const {
    for (const detail::value_node* v = node().values; v; v = v->outer)
      if (v->key == &detail::key_of<Key>) return static_cast<const typename Key::type*>(v->value);
    return nullptr;
  }

  explicit operator bool() const noexcept { return n_.get() != nullptr; }
  friend bool operator==(const context& a, const context& b) noexcept { return a.n_.get() == b.n_.get(); }

  // For weft itself.
  explicit context(detail::node_ref<detail::context_node> n) noexcept : n_(std::move(n)) {}
  detail::context_node& node() const {
    if (!n_.get()) [[unlikely]]
      panic_nil();
    return *n_.get();
  }

 private:
  [[noreturn]] static void panic_nil();
  detail::node_ref<detail::context_node> n_;
};

// "background.with_cancel.with_value": how a context came about, for logs.
std::string to_string(const context& ctx);

// The root: never done, without a deadline or values. todo() is the same, to be replaced one day.
context background();
context todo();

// Cancels its context when called, or at the latest when it goes out of scope. Move-only. May be
// called often and from many fibers at once: each call returns when the context and all derived from
// it are done. Never waits for fibers. Go's CancelFunc.
class [[nodiscard]] cancel_func {
 public:
  explicit cancel_func(detail::node_ref<detail::cancel_node> n) noexcept : n_(std::move(n)) {}
  cancel_func(cancel_func&&) noexcept = default;
  cancel_func& operator=(cancel_func&& o) noexcept {
    if (this != &o) {
      (*this)();
      n_ = std::move(o.n_);
    }
    return *this;
  }
  ~cancel_func() { (*this)(); }
  void operator()() const noexcept;

 private:
  friend class cancel_cause_func;
  detail::node_ref<detail::cancel_node> n_;
};

// As cancel_func, and says why. Only the first call's words count. Go's CancelCauseFunc.
class [[nodiscard]] cancel_cause_func {
 public:
  explicit cancel_cause_func(detail::node_ref<detail::cancel_node> n) noexcept : plain_(std::move(n)) {}
  void operator()() const noexcept { plain_(); }
  void operator()(std::string_view why) const;

 private:
  cancel_func plain_;
};

// What deriving returns, for a structured binding. The context may be copied out and outlive it.
struct [[nodiscard]] cancelable {
  context ctx;
  cancel_func cancel;
};
struct [[nodiscard]] cancelable_with_cause {
  context ctx;
  cancel_cause_func cancel;
};

// Each throws weft::panic for a nil parent. A parent that is done makes a context that is done, for
// the same cause. A deadline later than the parent's is the parent's; one in the past is at once.
cancelable with_cancel(const context& parent);
cancelable_with_cause with_cancel_cause(const context& parent);
cancelable with_deadline(const context& parent, time_point at);
cancelable with_timeout(const context& parent, duration d);
// `cause` is what cause() says if it is the deadline that ends the context.
cancelable with_deadline_cause(const context& parent, time_point at, std::string_view cause);
cancelable with_timeout_cause(const context& parent, duration d, std::string_view cause);

// A context that is as its parent, with one value more. Key is a type of its own with a member
// `type`: struct request_id { using type = int; };
template <class Key, class V = typename Key::type>
context with_value(const context& parent, V&& v) {
  return context(detail::node_ref<detail::context_node>(
      new detail::value_of<Key>(&parent.node(), &detail::key_of<Key>, std::forward<V>(v))));
}

// A context with the parent's values that is not done when the parent is. Go's WithoutCancel.
context without_cancel(const context& parent);

// Takes an after_func back: true if its function will not run because of this call. False if it was
// started or stopped before. Dropping it changes nothing. Does not wait for the function.
class stop_func {
 public:
  explicit stop_func(detail::node_ref<detail::cancel_node> n) noexcept : n_(std::move(n)) {}
  bool operator()() const noexcept;

 private:
  detail::node_ref<detail::cancel_node> n_;
};

namespace detail {
stop_func call_after(const context& ctx, std::unique_ptr<callback> f, const void* site);
}

// Calls f() in a fiber of its own once ctx is done, at once if it is; never if it never is. cancel does
// not wait for f. Where no world runs, the caller of cancel runs f. Go's context.AfterFunc.
template <class F>
[[gnu::always_inline]] inline stop_func after_func(const context& ctx, F&& f) {
  return detail::call_after(ctx, std::make_unique<detail::callback_of<std::decay_t<F>>>(std::forward<F>(f)),
                            detail::code_address());
}

// As sleep(d), but at most until ctx is done: its error then.
[[nodiscard]] std::error_code sleep(const context& ctx, duration d);

}  // namespace weft
