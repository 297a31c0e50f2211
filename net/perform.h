// One operation from the fiber's point of view: it returns when the operation has a result, whichever the poller.
#pragma once
#include "net/descriptor.h"

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

outcome perform(turn& t, io_request& rq, const context* ctx);

// Waits for a descriptor that is not ours.
std::error_code wait_for_foreign(int fd, short events, const context* ctx);

}  // namespace weft::detail
