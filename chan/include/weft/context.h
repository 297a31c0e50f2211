// Contexts: cancelling a tree of fibers, with a cause and with deadlines. Go's context.
//
//   auto [ctx, cancel] = weft::with_timeout(parent, 50ms);   // cancelled by the end of `cancel`
//   auto [v, err] = ch.recv(ctx);       // errc::canceled, errc::deadline_exceeded, or a value
//
// A context is a shared handle. Its only change is that it becomes done, once. When a context is
// cancelled, all contexts derived from it are cancelled before cancel returns. Deadlines need a
// running world.
//
// Operations of channels, locks, groups, sockets and pipes that block have an overload that takes a
// context first. If the context is done at the call, the operation does nothing and returns the
// context's error, even if it would not have waited. If the context becomes done during the wait,
// either the operation or the error happens, not both: an error means that nothing was received,
// sent, locked or acquired.
//
// All functions may be called from many fibers and plain threads at a time, not from signal
// handlers. None of them blocks, except sleep().
#pragma once
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/detail/context_node.h>
#include <weft/detail/rounded_up.h>
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

// A handle of a context; copying it increments a reference count. A default-constructed one is Go's
// nil: its functions throw weft::panic.
class context {
 public:
  context() noexcept = default;

  // Returns a channel that is closed when the context is done; a nil channel if it never becomes
  // done. The reference lives as long as this context. Go's Done.
  const recv_chan<void>& done() const;
  // Returns errc::canceled or errc::deadline_exceeded once the context is done, no error before.
  // Go's Err.
  std::error_code err() const;
  // Returns the cause: the text of the first cancel, else err()'s message. Empty until the context
  // is done. Go's context.Cause.
  std::string cause() const;
  // Returns the time at which the context becomes done at the latest, or nullopt. Go's Deadline.
  std::optional<time_point> deadline() const;
  // Returns the value that the nearest with_value<Key>() has stored, or null. It lives as long as
  // the context. Go's Value.
  template <class Key>
  const typename Key::type* value() const {
    for (const detail::value_node* v = node().values; v; v = v->outer)
      if (v->key == &detail::key_of<Key>) return static_cast<const typename Key::type*>(v->value);
    return nullptr;
  }

  // Returns false for a nil context.
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

// Returns how the context was derived, for logs: "background.with_cancel.with_value".
std::string to_string(const context& ctx);

// Returns the root context: never done, without deadline and values. Go's context.Background.
context background();
// Returns the root context, and marks a place where a caller's context is missing. Go's
// context.TODO.
context todo();

// Cancels its context when called, or when it is destroyed. Move-only. May be called repeatedly and
// from many fibers at the same time: each call returns when the context and all contexts derived
// from it are done. Does not wait for fibers. Go's CancelFunc.
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

// As cancel_func, with a cause. Only the cause of the first call is kept. Go's CancelCauseFunc.
class [[nodiscard]] cancel_cause_func {
 public:
  explicit cancel_cause_func(detail::node_ref<detail::cancel_node> n) noexcept : plain_(std::move(n)) {}
  void operator()() const noexcept { plain_(); }
  void operator()(std::string_view why) const;

 private:
  cancel_func plain_;
};

// The results of the functions below, for structured bindings. The context may be copied and may
// outlive the cancel function.
struct [[nodiscard]] cancelable {
  context ctx;
  cancel_func cancel;
};
struct [[nodiscard]] cancelable_with_cause {
  context ctx;
  cancel_cause_func cancel;
};

// Return a new context that is done when its parent is, when cancel is called, or at the deadline.
// Throw weft::panic for a nil parent. If the parent is done, the new context is done for the same
// cause. A deadline later than the parent's has no effect; a deadline in the past makes the context
// done immediately. Go's WithCancel, WithCancelCause, WithDeadline, WithTimeout.
cancelable with_cancel(const context& parent);
cancelable_with_cause with_cancel_cause(const context& parent);
cancelable with_deadline(const context& parent, time_point at);
cancelable with_timeout(const context& parent, duration d);
template <class R, class Period>
cancelable with_timeout(const context& parent, const std::chrono::duration<R, Period>& d) {
  return with_timeout(parent, detail::rounded_up(d));
}
// As above; cause() returns `cause` if the deadline ends the context. Go's WithDeadlineCause,
// WithTimeoutCause.
cancelable with_deadline_cause(const context& parent, time_point at, std::string_view cause);
cancelable with_timeout_cause(const context& parent, duration d, std::string_view cause);
template <class R, class Period>
cancelable with_timeout_cause(const context& parent, const std::chrono::duration<R, Period>& d,
                              std::string_view cause) {
  return with_timeout_cause(parent, detail::rounded_up(d), cause);
}

// Returns a context like its parent with one more value. Key is a type with a member `type`, for
// example struct request_id { using type = int; };  Throws weft::panic for a nil parent. Go's
// WithValue.
template <class Key, class V = typename Key::type>
context with_value(const context& parent, V&& v) {
  return context(detail::node_ref<detail::context_node>(
      new detail::value_of<Key>(&parent.node(), &detail::key_of<Key>, std::forward<V>(v))));
}

// Returns a context with the parent's values that does not become done when the parent does. Go's
// WithoutCancel.
context without_cancel(const context& parent);

// The result of after_func(ctx, f). A call returns true if it prevents f from running, false if f
// was started or stopped before. Does not wait for f. Destroying it changes nothing: ctx keeps f.
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

// Calls f() in a new fiber when ctx becomes done, immediately if it is done. cancel does not wait
// for f. If no world runs, the caller of cancel runs f. Go's context.AfterFunc.
template <class F>
[[gnu::always_inline]] inline stop_func after_func(const context& ctx, F&& f) {
  return detail::call_after(ctx, std::make_unique<detail::callback_of<std::decay_t<F>>>(std::forward<F>(f)),
                            detail::code_address());
}

// As sleep(d), but stops when ctx is done, and returns ctx's error then. Blocks.
[[nodiscard]] std::error_code sleep(const context& ctx, duration d);
template <class R, class Period>
[[nodiscard]] std::error_code sleep(const context& ctx, const std::chrono::duration<R, Period>& d) {
  return sleep(ctx, detail::rounded_up(d));
}

}  // namespace weft
