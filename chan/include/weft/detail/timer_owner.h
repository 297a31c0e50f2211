// What timer, ticker and after_func are made of: the state of a timer, which timer.cc knows, and
// its owner.
#pragma once
#include <weft/chan.h>
#include <weft/clock.h>

#include <memory>
#include <utility>

namespace weft::detail {

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

// Owns a timer's state.
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
  timer_state* get_or_null() const noexcept { return t_; }

 private:
  timer_state* t_ = nullptr;
};

}  // namespace weft::detail
