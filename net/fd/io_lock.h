// The lock that an operation holds while it uses one direction of a descriptor.
#pragma once
#include "net/fd/descriptor.h"

namespace weft::detail {

// Held until the end of the scope. While it is held the descriptor's number is not the kernel's
// again.
class io_lock {
 public:
  // Blocks until it is held, or there is an error().
  io_lock(descriptor* d, direction_kind which, const context* ctx) : io_lock(d, which) { lock(ctx); }
  // Not held yet: lock(), or perform_first(), whose request must outlive this object.
  io_lock(descriptor* d, direction_kind which) noexcept : d_(d), which_(which) {}
  io_lock(const io_lock&) = delete;
  io_lock& operator=(const io_lock&) = delete;
  [[gnu::always_inline]] ~io_lock() {
    if (held_) d_->unlock(which_);
  }

  std::error_code error() const { return to_error(why_not_, ctx_); }
  // Blocks until it is held. False if there is an error().
  bool lock(const context* ctx) {
    ctx_ = ctx;
    why_not_ = d_ ? d_->lock(which_, ctx) : wait_result::closed;
    return held_ = why_not_ == wait_result::none;
  }
  // As direction::operate().
  template <class Start>
  [[gnu::always_inline]] bool operate(M* m, io_op& op, Start start) {
    return held_ = it().operate(m, op, start);
  }

  descriptor& of() const noexcept { return *d_; }
  direction_kind which() const noexcept { return which_; }
  direction& it() const noexcept { return d_->direction_for(which_); }
  int fd() const noexcept { return d_->fd(); }

 private:
  descriptor* d_;
  const context* ctx_ = nullptr;
  direction_kind which_;
  bool held_ = false;
  wait_result why_not_ = wait_result::none;
};

}  // namespace weft::detail
