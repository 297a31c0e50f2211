// One operation from the fiber's point of view: it returns when the operation has a result, whichever the poller.
#pragma once
#include "net/descriptor.h"
#include "net/poller/uring.h"

namespace weft::detail {

// The right to operate on one half of a descriptor: held from here to the end of the scope, if there is no error.
class turn {
 public:
  turn(descriptor* d, half_of h, const context* ctx)
      : d_(d), ctx_(ctx), h_(h), why_not_(d ? d->begin(h, ctx) : ending::closed) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() {
    if (why_not_ == ending::none) d_->end(h_);
  }

  std::error_code error() const { return why_not_ == ending::none ? std::error_code() : to_error(why_not_, ctx_); }
  descriptor& of() const noexcept { return *d_; }
  half_of which() const noexcept { return h_; }
  half& it() const noexcept { return d_->half_for(h_); }
  int fd() const noexcept { return d_->fd(); }

 private:
  descriptor* d_;
  const context* ctx_;
  half_of h_;
  ending why_not_;
};

struct [[nodiscard]] outcome {
  int n = 0;
  std::error_code err{};
};

// The wait has been ended before the operation: cancels it and waits for it. It may turn out to have been done all the
// same.
void end_early(uring& u, io_request& rq);
// Starts it and waits: its result stands in it. What has ended the wait, if it was not the completion.
[[gnu::always_inline]] inline ending carry_out(uring& u, half& h, io_request& rq, const context* ctx) {
  u.start(rq);
  ending why = ending::none;
  if (!h.wait(rq.op, ctx, why)) [[unlikely]]
    end_early(u, rq);
  return why;
}
// perform_here() has met an error, or `why`.
outcome after_failure(turn& t, io_request& rq, const context* ctx, ending why);

outcome perform(turn& t, io_request& rq, const context* ctx);

// The same for those that a server does for each request, few of which fail: net/half.h tells why it is inline.
[[gnu::always_inline]] inline outcome perform_here(turn& t, io_request& rq, const context* ctx) {
  uring* const u = uring_of_fiber();
  if (!u) return perform(t, rq, ctx);
  rq.op.around = &t.of();
  const ending why = carry_out(*u, t.it(), rq, ctx);
  if (rq.op.res >= 0) [[likely]]
    return {rq.op.res, {}};
  return after_failure(t, rq, ctx, why);
}

// Waits for a descriptor that is not ours.
std::error_code wait_for_foreign(int fd, short events, const context* ctx);

}  // namespace weft::detail
