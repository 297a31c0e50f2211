// Typed channels. Go's chan T, <-chan T and chan<- T.
//
// A handle is shared: copies name the same channel, which lives as long as one of them. All
// operations are const, so that a by-value lambda may use its copy. A default-constructed handle is
// Go's nil channel: send and recv block for ever, close panics, len and cap are 0.
//
// Everything may be called from fibers and from plain threads; what says "blocks" parks the fiber
// or blocks the thread. Values are passed on in the order in which they were sent, waiters are
// served in the order in which they came.
#pragma once
#include <weft/detail/channel.h>
#include <weft/detail/deadline.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace weft {

template <class T>
class recv_chan;
template <class T>
class send_chan;

namespace detail {

// What all three handles share: ownership, comparison, len, cap.
template <class T>
class chan_handle {
 public:
  using value_type = T;

  chan_handle() noexcept = default;
  explicit chan_handle(channel<element_of<T>>* adopted) noexcept : c_(adopted) {}
  chan_handle(const chan_handle& o) noexcept : c_(o.c_) {
    if (c_) c_->add_ref();
  }
  chan_handle(chan_handle&& o) noexcept : c_(std::exchange(o.c_, nullptr)) {}
  chan_handle& operator=(chan_handle o) noexcept {
    std::swap(c_, o.c_);
    return *this;
  }
  ~chan_handle() {
    if (c_) c_->drop_ref();
  }

  // Elements in the buffer now, and its size. 0 for a nil channel.
  std::size_t len() const noexcept { return c_ ? c_->len() : 0; }
  std::size_t cap() const noexcept { return c_ ? c_->cap() : 0; }
  explicit operator bool() const noexcept { return c_ != nullptr; }

  friend bool operator==(const chan_handle& a, const chan_handle& b) noexcept { return a.c_ == b.c_; }
  friend channel<element_of<T>>* channel_of(const chan_handle& h) noexcept { return h.c_; }

 protected:
  channel<element_of<T>>* c_ = nullptr;
};

// Receiving, for chan and recv_chan.
template <class T, class Base>
class receiving : public Base {
  using E = element_of<T>;
  using out = typename channel<E>::out;
  using received = std::conditional_t<std::is_void_v<T>, bool, std::optional<T>>;

 public:
  using Base::Base;

  // In line, so that the optional stays in parts: a function returns it in registers, filled from a place where its
  // flag was written as a byte just now and is read as a word, which takes longer than all the rest.

  // Blocks until there is a value; nullopt (void: false) once the channel is closed and drained.
  [[gnu::always_inline]] received recv() const {
    if (!this->c_) park_forever(wait_reason::chan_receive_nil);
    out o;
    this->c_->receive(o);
    return unwrap(o);
  }
  // Never blocks: nullopt (false) if nothing is there, or the channel is closed and drained.
  [[gnu::always_inline]] received try_recv() const {
    out o;
    if (this->c_) this->c_->try_receive(o);
    return unwrap(o);
  }
  // As recv, but gives up after a while: nullopt (false) then too.
  received recv_for(duration d) const {
    out o;
    recv_bounded(o, {.deadline_ns = deadline_in(d)});
    return unwrap(o);
  }
  template <class Clock, class D>
  received recv_until(std::chrono::time_point<Clock, D> t) const {
    out o;
    recv_bounded(o, {.deadline_ns = deadline_of(t)});
    return unwrap(o);
  }
  // As recv, but at most until ctx is done: its error then, and nothing was received.
  result<received> recv(const context& ctx) const {
    out o;
    std::error_code e = error_of(ctx);
    if (!e && recv_bounded(o, {.ctx = &ctx}) != wait_end::granted) e = error_of(ctx);
    return {unwrap(o), e};
  }

  // for (auto& v : ch): every value until the channel is closed and drained. Go's range.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = E;
    using difference_type = std::ptrdiff_t;
    using reference = E&;
    using pointer = E*;

    iterator() noexcept = default;
    explicit iterator(const receiving* from) : from_(from) { ++*this; }
    E& operator*() const noexcept { return *value_; }
    E* operator->() const noexcept { return &*value_; }
    iterator& operator++() {
      value_.reset();
      if constexpr (std::is_void_v<T>) {
        if (from_->recv()) value_.emplace();
      } else {
        value_ = from_->recv();
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return !i.value_; }

   private:
    const receiving* from_ = nullptr;
    mutable std::optional<E> value_;
  };
  iterator begin() const { return iterator(this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  wait_end recv_bounded(out& o, const wait_bound& bound) const {
    return this->c_ ? this->c_->receive_bounded(o, bound) : wait_for_bound(wait_reason::chan_receive_nil, bound);
  }
  [[gnu::always_inline]] static received unwrap(out& o) {
    if constexpr (std::is_void_v<T>) {
      return o.has_value();
    } else {
      return o ? received(from_slot<T>(*o)) : received();
    }
  }
};

// Sending, for chan and send_chan.
template <class T, class Base>
class sending : public Base {
  using E = element_of<T>;
  using slot = slot_of<E>;

 public:
  using Base::Base;

  // Blocks until the value is received or has room in the buffer. Throws weft::panic if the
  // channel is closed, or gets closed meanwhile.
  void send(E v) const
    requires(!std::is_void_v<T>)
  {
    if (!this->c_) park_forever(wait_reason::chan_send_nil);
    slot s = to_slot<E>(std::move(v));
    this->c_->send(s);
  }
  void send() const
    requires std::is_void_v<T>
  {
    if (!this->c_) park_forever(wait_reason::chan_send_nil);
    slot s{};
    this->c_->send(s);
  }
  // Never blocks: true if the value went. Moves from v only then. Throws as send.
  bool try_send(E&& v) const
    requires(!std::is_void_v<T>)
  {
    return with_slot(
        v, [this](slot& s) { return this->c_->try_send(s); }, Base::c_ != nullptr);
  }
  bool try_send(const E& v) const
    requires(!std::is_void_v<T> && std::copy_constructible<E>)
  {
    E copy(v);
    return try_send(std::move(copy));
  }
  bool try_send() const
    requires std::is_void_v<T>
  {
    slot s{};
    return this->c_ && this->c_->try_send(s) == attempt::done;
  }
  // As send, but gives up after a while: false then, and v is as it was.
  template <class U>
  bool send_for(U&& v, duration d) const
    requires(!std::is_void_v<T> && std::convertible_to<U, E>)
  {
    return send_bounded(std::forward<U>(v), {.deadline_ns = deadline_in(d)}) == wait_end::granted;
  }
  template <class U, class Clock, class D>
  bool send_until(U&& v, std::chrono::time_point<Clock, D> t) const
    requires(!std::is_void_v<T> && std::convertible_to<U, E>)
  {
    return send_bounded(std::forward<U>(v), {.deadline_ns = deadline_of(t)}) == wait_end::granted;
  }
  bool send_for(duration d) const
    requires std::is_void_v<T>
  {
    return send_bounded(nothing{}, {.deadline_ns = deadline_in(d)}) == wait_end::granted;
  }
  template <class Clock, class D>
  bool send_until(std::chrono::time_point<Clock, D> t) const
    requires std::is_void_v<T>
  {
    return send_bounded(nothing{}, {.deadline_ns = deadline_of(t)}) == wait_end::granted;
  }
  // As send, but at most until ctx is done: its error then, and v is as it was.
  template <class U>
  [[nodiscard]] std::error_code send(const context& ctx, U&& v) const
    requires(!std::is_void_v<T> && std::convertible_to<U, E>)
  {
    return send_or_error(ctx, std::forward<U>(v));
  }
  [[nodiscard]] std::error_code send(const context& ctx) const
    requires std::is_void_v<T>
  {
    return send_or_error(ctx, nothing{});
  }

  // No more values will be sent; whoever waits is woken. Throws weft::panic if the channel is nil
  // or closed already.
  void close() const {
    if (!this->c_) panic_close_of_nil();
    this->c_->close();
  }

 private:
  // Runs f on v as a slot, and gives v back its value if f did not take it.
  template <class F>
  static bool with_slot(E& v, F f, bool there) {
    if (!there) return false;
    if constexpr (boxed<E> && std::copy_constructible<E>) {
      slot s = to_slot<E>(std::as_const(v));
      return f(s) == attempt::done;
    } else if constexpr (boxed<E>) {
      static_assert(std::is_move_assignable_v<E>, "a value that was not sent could not be given back");
      slot s = to_slot<E>(std::move(v));
      const bool went = f(s) == attempt::done;
      if (!went) v = std::move(*s);
      return went;
    } else {
      return f(v) == attempt::done;
    }
  }
  template <class U>
  std::error_code send_or_error(const context& ctx, U&& v) const {
    if (const std::error_code e = error_of(ctx)) return e;
    return send_bounded(std::forward<U>(v), {.ctx = &ctx}) == wait_end::granted ? std::error_code() : error_of(ctx);
  }
  template <class U>
  wait_end send_bounded(U&& v, const wait_bound& bound) const {
    if (!this->c_) return wait_for_bound(wait_reason::chan_send_nil, bound);
    wait_end end = wait_end::granted;
    const auto attempt_it = [&](slot& s) {
      end = this->c_->send_bounded(s, bound);
      return end == wait_end::granted ? attempt::done : attempt::not_ready;
    };
    if constexpr (std::is_same_v<std::remove_reference_t<U>, E> && std::is_rvalue_reference_v<U&&>) {
      with_slot(v, attempt_it, true);
    } else {
      E copy(std::forward<U>(v));
      with_slot(copy, attempt_it, true);
    }
    return end;
  }
};

}  // namespace detail

// A channel of T: any movable type, or void. Go's chan T.
template <class T>
class chan : public detail::receiving<T, detail::sending<T, detail::chan_handle<T>>> {
  using base = detail::receiving<T, detail::sending<T, detail::chan_handle<T>>>;

 public:
  using base::base;
};

// One that can only be received from. Go's <-chan T.
template <class T>
class recv_chan : public detail::receiving<T, detail::chan_handle<T>> {
  using base = detail::receiving<T, detail::chan_handle<T>>;

 public:
  using base::base;
  recv_chan() noexcept = default;
  recv_chan(const chan<T>& c) noexcept { static_cast<detail::chan_handle<T>&>(*this) = c; }
};

// One that can only be sent to and closed. Go's chan<- T.
template <class T>
class send_chan : public detail::sending<T, detail::chan_handle<T>> {
  using base = detail::sending<T, detail::chan_handle<T>>;

 public:
  using base::base;
  send_chan() noexcept = default;
  send_chan(const chan<T>& c) noexcept { static_cast<detail::chan_handle<T>&>(*this) = c; }
};

// A new channel with room for `cap` values; 0: every send meets its receive. Throws weft::panic
// if that many cannot be addressed, std::bad_alloc if they cannot be had. Go's make(chan T, cap).
template <class T>
chan<T> make_chan(std::size_t cap = 0) {
  return chan<T>(detail::channel<detail::element_of<T>>::make(cap));
}

}  // namespace weft
