// One operation from the fiber's point of view: it returns when the operation has a result, whichever the poller.
#pragma once
#include "net/descriptor.h"
#include "net/poller/uring.h"

namespace weft::detail {

// The right to operate on one half of a descriptor, until the end of the scope.
class turn {
 public:
  // Has it if there is no error().
  turn(descriptor* d, half_of h, const context* ctx) : turn(d, h) { begin(ctx); }
  // Has not: begin(), or perform_first(), whose request must live longer than this.
  turn(descriptor* d, half_of h) noexcept : d_(d), h_(h) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  [[gnu::always_inline]] ~turn() {
    if (held_) d_->end(h_);
  }

  std::error_code error() const { return to_error(why_not_, ctx_); }
  // Takes it, when it comes. False if there is an error().
  bool begin(const context* ctx) {
    ctx_ = ctx;
    why_not_ = d_ ? d_->begin(h_, ctx) : ending::closed;
    return held_ = why_not_ == ending::none;
  }
  // As half::operate().
  template <class Start>
  [[gnu::always_inline]] bool operate(M* m, io_op& op, Start start) {
    return held_ = it().operate(m, op, start);
  }

  descriptor& of() const noexcept { return *d_; }
  half_of which() const noexcept { return h_; }
  half& it() const noexcept { return d_->half_for(h_); }
  int fd() const noexcept { return d_->fd(); }

 private:
  descriptor* d_;
  const context* ctx_ = nullptr;
  half_of h_;
  bool held_ = false;
  ending why_not_ = ending::none;
};

struct [[nodiscard]] outcome {
  int n = 0;
  std::error_code err{};
};

// With the turn.
outcome perform(const turn& t, io_request& rq, const context* ctx);

// Takes the turn and performs.
outcome begin_and_perform(turn& t, io_request& rq, const context* ctx);
// operate() has begun, and rq was not completed with a result.
outcome after_failure(turn& t, io_request& rq);
// Takes the turn and performs: what a server does for each request. net/half.h tells why it is inline. `d`, which may
// be null, is t's.
template <class Request>
[[gnu::always_inline]] inline outcome perform_first(turn& t, descriptor* d, Request& rq, const context* ctx) {
  M* const m = this_m();
  uring* const u = d && !ctx && m && m->g ? as_uring(static_cast<backend*>(m->w->poller_or_null())) : nullptr;
  const auto start = [&]() __attribute__((always_inline)) {
    ring* const r = u->ring_of(m->p->id);  // in a section, which keeps the P
    rq.op.around = d;
    rq.op.captured = m->g->captured;
    begin_op(rq.op, m->g);
    return r && r->put(rq);
  };
  if (!u || !t.operate(m, rq.op, start)) [[unlikely]]
    return begin_and_perform(t, rq, ctx);
  if (rq.op.word.decided() == op_word::by_completion && rq.op.res >= 0) [[likely]]
    return {rq.op.res, {}};
  return after_failure(t, rq);
}

// Waits for a descriptor that is not ours.
std::error_code wait_for_foreign(int fd, short events, const context* ctx);

}  // namespace weft::detail
