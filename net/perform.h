// One operation from the fiber's point of view: it returns when the operation has a result, whichever the poller.
#pragma once
#include "net/descriptor.h"

namespace weft::detail {

// The right to operate on one half of a descriptor: held from here to the end of the scope, if there is no error.
class turn {
 public:
  turn(descriptor* d, half_of h, const context* ctx);
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn();

  std::error_code error() const noexcept { return error_; }
  descriptor& of() const noexcept { return *d_; }
  half_of which() const noexcept { return h_; }
  half& it() const noexcept { return d_->half_for(h_); }
  int fd() const noexcept { return d_->fd(); }

 private:
  in_use use_;
  descriptor* d_;
  half_of h_;
  std::error_code error_;
};

struct [[nodiscard]] outcome {
  int n = 0;
  std::error_code err{};
};

outcome perform(turn& t, io_request& rq, const context* ctx);

// Waits for a descriptor that is not ours.
std::error_code wait_for_foreign(int fd, short events, const context* ctx);

}  // namespace weft::detail
