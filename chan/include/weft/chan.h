// Typed channels. Go's chan T, <-chan T and chan<- T.
//
// A handle is shared: copies name the same channel, and the channel lives as long as its last
// handle. All operations are const, so that a lambda that captures a handle by value can use it. A
// default-constructed handle is Go's nil channel.
//
// All functions may be called from fibers and from plain threads, not from signal handlers. A
// function that blocks parks the fiber or blocks the thread. Values are received in the order in
// which they were sent. Waiters are served in the order in which they began to wait.
//
//   auto numbers = weft::make_chan<int>(8);
//   weft::go([=] { for (int i = 0; i < 3; ++i) numbers.send(i); numbers.close(); });
//   for (int n : numbers) use(n);                       // 0, 1, 2, then the loop ends
//   if (auto n = numbers.recv_for(1ms)) use(*n);        // nullopt: closed, or no value within 1 ms
//
// What an operation does, by the state of the channel:
//
//              nil                 open                               closed
//   send       blocks without end  blocks while the buffer is full    throws weft::panic
//   recv       blocks without end  blocks while the buffer is empty   the buffer, then nullopt
//   try_send   false               false where send() would block     throws weft::panic
//   try_recv   nullopt             nullopt where recv() would block   as recv()
//   close      throws weft::panic  wakes all waiters                  throws weft::panic
//
// Without a buffer (cap 0) send() blocks until a receiver takes the value, and recv() until a
// sender comes. So an unbuffered send is also a meeting: when it returns, a receiver has the value.
//
// Only senders close a channel, and only one of them: a receiver that is not interested any longer
// cancels a context that the senders wait for too. A channel need not be closed: what is closed is
// not memory, which is freed with the last handle, but the sequence of values.
//
// Frequent forms:
//
//   weft::chan<void> done = weft::make_chan<void>();  // a signal to all: close it
//   auto slots = weft::make_chan<void>(8);            // a bound of 8: send() enters, recv() leaves
//   auto results = weft::make_chan<int>(jobs.size()); // with room for all, no sender ever waits
//   weft::recv_chan<int> in = results;                // for a function that only receives
//
// A send that must not wait too long has three forms: try_send(), send_for() and send(ctx). Each
// leaves the value with the caller if it was not sent, so that it can be sent again or elsewhere.
// The same forms of recv() lose no value: what they do not return stays in the channel.
//
// send(ctx) and recv(ctx) look at the context first: with one that is done they neither send nor
// receive, even if they could. recv_for(0) and try_recv() differ only in what they cost.
//
// To wait for several channels, or for a channel and a context, see select.h.
//
// What a fiber wrote before a send is visible after the receive of that value; what it wrote before
// close() is visible after a receive that returned nullopt. With a buffer of n values, what was
// written before a receive is visible after the n-th send that follows. (Go's memory model.)
//
// An element is moved: into the channel, and out of it. If its move constructor may throw, or it is
// larger than 4 KiB, it is passed in a box on the heap. The move constructor of an unboxed element,
// and the destructor of what it was moved from, run under the channel's spin lock, so they must not
// block, and must not use channels. Copies are made before the lock is taken.
#pragma once
#include <weft/detail/chan_iterator.h>
#include <weft/detail/channel.h>
#include <weft/detail/chrono.h>
#include <weft/detail/deadline.h>
#include <weft/detail/with_slot.h>

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

// Holds one reference, or none: then it is a nil channel. No function blocks.
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

  // Returns the number of values in the buffer now; 0 for a nil channel. Another fiber may change
  // it before the caller looks at it, so decide with try_send() or try_recv() instead. Never
  // blocks. Go's len(ch).
  std::size_t len() const noexcept { return c_ ? c_->len() : 0; }
  // Returns the size of the buffer in values; 0 for an unbuffered or a nil channel. Go's cap(ch).
  std::size_t cap() const noexcept { return c_ ? c_->cap() : 0; }
  // Returns false for a nil channel.
  explicit operator bool() const noexcept { return c_ != nullptr; }

  // Returns true if both handles name the same channel, or both are nil. Go's ==.
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

  // recv() and try_recv() are inlined so that the optional stays in parts. An outlined function
  // returns it in registers: its flag, written as a byte, is read back as a word, and that stall
  // costs more than the rest.

  // Blocks until a value arrives and returns it. Returns nullopt (chan<void>: false) when the
  // channel is closed and its buffer is empty. A nil channel blocks without end. Go's v, ok :=
  // <-ch.
  [[gnu::always_inline]] received recv() const {
    if (!this->c_) park_forever(wait_reason::chan_receive_nil);
    out o;
    this->c_->receive(o);
    return unwrap(o);
  }
  // Returns a value if one can be received without waiting, else nullopt (chan<void>: false), also
  // for a channel that is closed or nil. Never blocks. Go's select with a default case.
  [[gnu::always_inline]] received try_recv() const {
    out o;
    if (this->c_) this->c_->try_receive(o);
    return unwrap(o);
  }
  // As recv(), but returns nullopt (chan<void>: false) if no value arrives within d, or before the
  // time t. It returns a waiting value even if d is 0 or negative, or t has passed. To
  // distinguish a closed channel from a late value, use recv(ctx) with a deadline. Go's select with
  // time.After.
  received recv_for(duration d) const {
    out o;
    recv_bounded(o, {.deadline_ns = deadline_in(d)});
    return unwrap(o);
  }
  template <class R, class Period>
  received recv_for(const std::chrono::duration<R, Period>& d) const {
    return recv_for(rounded_up(d));
  }
  template <class Clock, class D>
  received recv_until(std::chrono::time_point<Clock, D> t) const {
    out o;
    recv_bounded(o, {.deadline_ns = deadline_of(t)});
    return unwrap(o);
  }
  // As recv(), but stops waiting when ctx is done. Returns ctx's error then, and no value was
  // received. A closed channel gives nullopt without an error.
  result<received> recv(const context& ctx) const {
    out o;
    std::error_code e = error_of(ctx);
    if (!e && recv_bounded(o, {.ctx = &ctx}) != wait_end::granted) e = error_of(ctx);
    return {unwrap(o), e};
  }

  // Iterates over the values until the channel is closed and its buffer is empty. ++ and begin()
  // block as recv(). Several fibers may iterate over one channel at a time: each value goes to one
  // of them. A loop that is left with break has taken no value that it has not seen. Go's for v :=
  // range ch.
  using iterator = chan_iterator<T, receiving>;
  // The handle must outlive the iterator. Not for a nil channel: begin() would block without end.
  iterator begin() const { return iterator(this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend iterator;
  wait_end recv_bounded(out& o, const wait_bound& bound) const {
    return this->c_ ? this->c_->receive_bounded(o, bound) : wait_for_bound(wait_reason::chan_receive_nil, bound);
  }
  // Without a second element on the stack.
  void recv_into(std::optional<E>& v) const {
    if (!this->c_) park_forever(wait_reason::chan_receive_nil);
    out o;
    this->c_->receive(o);
    if (o) v.emplace(from_slot<E>(*o));
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

  // Blocks until a receiver has taken v, or the buffer has room for it. Throws weft::panic if the
  // channel is closed or is closed during the wait; v is destroyed then. A nil channel blocks
  // without end. Go's ch <- v.
  void send(E v) const
    requires(!std::is_void_v<T> && !large<E>)
  {
    send_converted(std::move(v));
  }
  // The same for an element of more than 4 KiB, by reference: it is not on the stack a second time.
  void send(E&& v) const
    requires(!std::is_void_v<T> && large<E>)
  {
    send_converted(std::move(v));
  }
  void send(const E& v) const
    requires(!std::is_void_v<T> && large<E> && std::copy_constructible<E>)
  {
    send_converted(v);
  }
  void send() const
    requires std::is_void_v<T>
  {
    if (!this->c_) park_forever(wait_reason::chan_send_nil);
    slot s{};
    this->c_->send(s);
  }
  // Returns true if v was sent; v is moved from only in that case. Returns false if send() would
  // block, also for a nil channel. Never blocks. Throws weft::panic if the channel is closed.
  bool try_send(E&& v) const
    requires(!std::is_void_v<T>)
  {
    return with_slot<E>(
        v, [this](slot& s) { return this->c_->try_send(s); },
        Base::c_ != nullptr && (!boxed<E> || Base::c_->can_send_approx()));
  }
  bool try_send(const E& v) const
    requires(!std::is_void_v<T> && std::copy_constructible<E>)
  {
    if constexpr (boxed<E>) {
      if (!this->c_ || !this->c_->can_send_approx()) return false;
      slot s = to_slot<E>(v);
      return this->c_->try_send(s) == attempt::done;
    } else {
      E copy(v);
      return try_send(std::move(copy));
    }
  }
  bool try_send() const
    requires std::is_void_v<T>
  {
    slot s{};
    return this->c_ && this->c_->try_send(s) == attempt::done;
  }
  // As send(), but returns false, and leaves v unchanged, if v is not sent within d, or before the
  // time t. An rvalue of another type than the element's is converted first, and moved from in any
  // case.
  template <class U, class R, class Period>
  bool send_for(U&& v, const std::chrono::duration<R, Period>& d) const
    requires(!std::is_void_v<T> && std::convertible_to<U, E>)
  {
    return send_bounded(std::forward<U>(v), {.deadline_ns = deadline_in(rounded_up(d))}) == wait_end::granted;
  }
  template <class U, class Clock, class D>
  bool send_until(U&& v, std::chrono::time_point<Clock, D> t) const
    requires(!std::is_void_v<T> && std::convertible_to<U, E>)
  {
    return send_bounded(std::forward<U>(v), {.deadline_ns = deadline_of(t)}) == wait_end::granted;
  }
  template <class R, class Period>
  bool send_for(const std::chrono::duration<R, Period>& d) const
    requires std::is_void_v<T>
  {
    return send_bounded(nothing{}, {.deadline_ns = deadline_in(rounded_up(d))}) == wait_end::granted;
  }
  template <class Clock, class D>
  bool send_until(std::chrono::time_point<Clock, D> t) const
    requires std::is_void_v<T>
  {
    return send_bounded(nothing{}, {.deadline_ns = deadline_of(t)}) == wait_end::granted;
  }
  // As send(), but stops waiting when ctx is done. Returns ctx's error then, and leaves v
  // unchanged, as send_for() does.
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

  // Closes the channel: later sends throw weft::panic, receives return the buffered values and then
  // nullopt. Wakes every waiter; a waiting send throws weft::panic. Throws weft::panic if the
  // channel is nil or is closed already. Never blocks. Go's close(ch).
  void close() const {
    if (!this->c_) panic_close_of_nil();
    this->c_->close();
  }

 private:
  template <class U>
  [[gnu::always_inline]] void send_converted(U&& v) const {
    if (!this->c_) park_forever(wait_reason::chan_send_nil);
    slot s = to_slot<E>(std::forward<U>(v));
    this->c_->send(s);
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
      with_slot<E>(v, attempt_it, true);
    } else if constexpr (boxed<E>) {
      slot s = to_slot<E>(std::forward<U>(v));
      attempt_it(s);
    } else {
      E copy(std::forward<U>(v));
      with_slot<E>(copy, attempt_it, true);
    }
    return end;
  }
};

}  // namespace detail

// A channel of T, which is any movable type, or void for a channel of bare signals. T need not be
// default-constructible or copyable. Go's chan T; chan<void> stands for chan struct{}.
// A T of more than 4 KiB is passed through the heap: one allocation per value that is sent, and no
// second copy on a fiber's stack.
template <class T>
class chan : public detail::receiving<T, detail::sending<T, detail::chan_handle<T>>> {
  using base = detail::receiving<T, detail::sending<T, detail::chan_handle<T>>>;

 public:
  using base::base;
};

// A view of a channel that can only receive. Converts implicitly from chan<T>, not back. It shares
// the channel as each handle does. For parameters and results of functions: the type says who may
// send. Go's <-chan T.
template <class T>
class recv_chan : public detail::receiving<T, detail::chan_handle<T>> {
  using base = detail::receiving<T, detail::chan_handle<T>>;

 public:
  using base::base;
  recv_chan() noexcept = default;
  recv_chan(const chan<T>& c) noexcept { static_cast<detail::chan_handle<T>&>(*this) = c; }
};

// A view of a channel that can only send and close. Converts implicitly from chan<T>, not back.
// Go's chan<- T.
template <class T>
class send_chan : public detail::sending<T, detail::chan_handle<T>> {
  using base = detail::sending<T, detail::chan_handle<T>>;

 public:
  using base::base;
  send_chan() noexcept = default;
  send_chan(const chan<T>& c) noexcept { static_cast<detail::chan_handle<T>&>(*this) = c; }
};

// Returns a new channel whose buffer holds `cap` values; with 0, each send waits for its receive.
// The whole buffer is allocated by this call. Values that are in it when the last handle is
// destroyed are destroyed then, in the order in which they were sent. Throws weft::panic if cap is
// too large to address, std::bad_alloc if the allocation fails. Never blocks. Needs no running
// world. Go's make(chan T, cap).
template <class T>
chan<T> make_chan(std::size_t cap = 0) {
  return chan<T>(detail::channel<detail::element_of<T>>::make(cap));
}

}  // namespace weft
