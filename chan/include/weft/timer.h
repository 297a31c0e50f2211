// Timers and tickers. Go's time.After, time.Timer, time.Ticker and time.AfterFunc.
//
// A timer's channel behaves as unbuffered (len and cap are 0) but its tick is not lost while nobody
// receives. After stop() or reset() has returned, no tick of before can be received any more.
// Timers need a running world; arming one outside throws weft::panic.
#pragma once
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/detail/spawn.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace weft {
namespace detail {

struct timer_state;

struct callback {
  virtual ~callback() = default;
  virtual void call() = 0;
};
template <class F>
struct callback_of final : callback {
  F f;
  template <class A>
  explicit callback_of(A&& a) : f(std::forward<A>(a)) {}
  void call() override { f(); }
};

timer_state* make_tick_timer(duration first, duration period);
timer_state* make_func_timer(duration d, std::unique_ptr<callback> f, const void* site);
void release(timer_state* t) noexcept;
recv_chan<time_point> channel_of_timer(timer_state* t);
bool stop_timer(timer_state* t);
bool reset_timer(timer_state* t, duration d, duration period);
[[noreturn]] void panic_uninitialized(const char* what);
void check_period(const char* what, duration d);

// Sole owner of a timer's state.
class timer_owner {
 public:
  timer_owner() noexcept = default;
  explicit timer_owner(timer_state* t) noexcept : t_(t) {}
  timer_owner(timer_owner&& o) noexcept : t_(std::exchange(o.t_, nullptr)) {}
  timer_owner& operator=(timer_owner&& o) noexcept {
    std::swap(t_, o.t_);
    return *this;
  }
  ~timer_owner() {
    if (t_) release(t_);
  }
  timer_state* get(const char* what) const {
    if (!t_) panic_uninitialized(what);
    return t_;
  }

 private:
  timer_state* t_ = nullptr;
};

}  // namespace detail

// Fires once. Move-only; its destructor stops it, unless it is an after_func's, which goes on to its time.
// Go's time.Timer. A default-constructed one throws weft::panic on use.
class timer {
 public:
  timer() noexcept = default;
  explicit timer(duration d) : t_(detail::make_tick_timer(d, duration::zero())) {}

  // Where the time at which it fired is received. A nil channel for an after_func.
  recv_chan<time_point> c() const { return detail::channel_of_timer(t_.get("timer::c")); }
  // True if it was armed and will not fire now. Does not wait for an after_func that runs.
  bool stop() { return detail::stop_timer(t_.get("timer::stop")); }
  // Arms it anew for d from now; true if it was armed before.
  bool reset(duration d) { return detail::reset_timer(t_.get("timer::reset"), d, duration::zero()); }

 private:
  template <class F>
  friend timer after_func(duration d, F&& f);
  explicit timer(detail::timer_state* t) noexcept : t_(t) {}
  detail::timer_owner t_;
};

// Fires every `d`; ticks that nobody takes in time are dropped. d must be positive, else
// weft::panic. Move-only; the destructor stops it. Go's time.Ticker.
class ticker {
 public:
  ticker() noexcept = default;
  explicit ticker(duration d) {
    detail::check_period("ticker", d);
    t_ = detail::timer_owner(detail::make_tick_timer(d, d));
  }

  recv_chan<time_point> c() const { return detail::channel_of_timer(t_.get("ticker::c")); }
  void stop() { detail::stop_timer(t_.get("ticker::stop")); }
  void reset(duration d) {
    detail::check_period("ticker::reset", d);
    detail::reset_timer(t_.get("ticker::reset"), d, d);
  }

 private:
  detail::timer_owner t_;
};

// A channel on which the time comes once, after d. Dropping it stops the timer. Go's time.After.
recv_chan<time_point> after(duration d);

// Calls f() in a fiber of its own after d, whether the returned object is kept or not. Go's time.AfterFunc.
template <class F>
[[gnu::always_inline]] inline timer after_func(duration d, F&& f) {
  return timer(detail::make_func_timer(d, std::make_unique<detail::callback_of<std::decay_t<F>>>(std::forward<F>(f)),
                                       detail::code_address()));
}

}  // namespace weft
