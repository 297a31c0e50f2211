// Timers and tickers. Go's time.After, time.Timer, time.Ticker and time.AfterFunc.
//
//   weft::ticker every(10ms);
//   for (;;)
//     switch (weft::select(recv(every.c()), recv(weft::after(1s)))) { ... }
//
// A timer's channel behaves as an unbuffered one (len and cap return 0), but keeps one tick until
// it is received. After stop() or reset() has returned, no earlier tick can be received.
//
// Functions may be called from fibers and plain threads, not from signal handlers. None of them
// blocks. Timers need a running world; arming one without throws weft::panic. Durations are
// nanoseconds of the monotonic clock; a duration of 0 or less fires immediately.
#pragma once
#include <weft/chan.h>
#include <weft/clock.h>
#include <weft/detail/spawn.h>
#include <weft/detail/timer_owner.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace weft {

// Fires once. Move-only. The destructor stops the timer, except that of an after_func timer, which
// still fires. A default-constructed timer throws weft::panic on use. Go's time.Timer.
class timer {
 public:
  timer() noexcept = default;
  // Arms a timer that fires once, d from now. Go's time.NewTimer.
  explicit timer(duration d) : t_(detail::make_tick_timer(d, duration::zero())) {}
  template <class R, class Period>
  explicit timer(const std::chrono::duration<R, Period>& d) : timer(detail::rounded_up(d)) {}

  // Returns the channel that delivers the time at which the timer fired. A nil channel for an
  // after_func timer. Go's C.
  recv_chan<time_point> c() const { return detail::channel_of_timer(t_.get("timer::c")); }
  // Stops the timer. Returns true if it was armed and will not fire. Does not wait for a running
  // after_func. Go's Stop.
  bool stop() { return detail::stop_timer(t_.get("timer::stop")); }
  // Arms the timer again, for d from now. Returns true if it was armed. Go's Reset.
  bool reset(duration d) { return detail::reset_timer(t_.get("timer::reset"), d, duration::zero()); }
  template <class R, class Period>
  bool reset(const std::chrono::duration<R, Period>& d) {
    return reset(detail::rounded_up(d));
  }

 private:
  template <class R, class Period, class F>
  friend timer after_func(const std::chrono::duration<R, Period>& d, F&& f);
  explicit timer(detail::timer_state* t) noexcept : t_(t) {}
  detail::timer_owner t_;
};

// Fires every d. A tick that is not received before the next one is dropped. Move-only; the
// destructor stops the ticker. Go's time.Ticker.
class ticker {
 public:
  ticker() noexcept = default;
  // Starts a ticker. Throws weft::panic unless d is positive. Go's time.NewTicker.
  explicit ticker(duration d) {
    detail::check_period("ticker", d);
    t_ = detail::timer_owner(detail::make_tick_timer(d, d));
  }
  template <class R, class Period>
  explicit ticker(const std::chrono::duration<R, Period>& d) : ticker(detail::rounded_up(d)) {}

  // Returns the channel that delivers the time of each tick. Go's C.
  recv_chan<time_point> c() const { return detail::channel_of_timer(t_.get("ticker::c")); }
  // Stops the ticker. Its channel is not closed. Does nothing if default-constructed. Go's Stop.
  void stop() {
    if (detail::timer_state* t = t_.get_or_null()) detail::stop_timer(t);
  }
  // Changes the period to d; the next tick is d from now. Throws weft::panic unless d is positive.
  // Go's Reset.
  void reset(duration d) {
    detail::check_period("ticker::reset", d);
    detail::reset_timer(t_.get("ticker::reset"), d, d);
  }
  template <class R, class Period>
  void reset(const std::chrono::duration<R, Period>& d) {
    reset(detail::rounded_up(d));
  }

 private:
  detail::timer_owner t_;
};

// Returns a channel that delivers the time once, after d. The timer stops when the channel's last
// handle is destroyed. Go's time.After.
recv_chan<time_point> after(duration d);
template <class R, class Period>
recv_chan<time_point> after(const std::chrono::duration<R, Period>& d) {
  return after(detail::rounded_up(d));
}

// Calls f() in a new fiber after d. The returned timer can stop or reset it; dropping the timer
// does not stop it. An exception that leaves f ends the process. Go's time.AfterFunc.
template <class R, class Period, class F>
[[gnu::always_inline]] inline timer after_func(const std::chrono::duration<R, Period>& d, F&& f) {
  return timer(detail::make_func_timer(detail::rounded_up(d),
                                       std::make_unique<detail::callback_of<std::decay_t<F>>>(std::forward<F>(f)),
                                       detail::code_address()));
}

}  // namespace weft
