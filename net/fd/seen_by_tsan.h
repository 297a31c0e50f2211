// Data that is sent happens before it is received. ThreadSanitizer does not see this order, because
// the kernel keeps it. Without these notes it reports a race where a server writes a variable and
// answers, and the client reads the variable after the answer. As in Go's race detector, all
// descriptors count as one. Other builds have no code for it.
#pragma once
#include <poll.h>

#include "net/fd/io_request.h"
#include "runtime/sanitizer.h"

namespace weft::detail {

// Around an operation.
#if WEFT_TSAN
class seen_by_tsan {
 public:
  explicit seen_by_tsan(const io_request& rq) noexcept : receives_((rq.events & POLLIN) != 0) {
    if (!receives_) __tsan_release(&all_descriptors_);
  }
  ~seen_by_tsan() {
    if (receives_) __tsan_acquire(&all_descriptors_);
  }
  seen_by_tsan(const seen_by_tsan&) = delete;
  seen_by_tsan& operator=(const seen_by_tsan&) = delete;

 private:
  static inline char all_descriptors_ = 0;
  const bool receives_;
};
#else
struct seen_by_tsan {
  explicit seen_by_tsan(const io_request&) noexcept {}
};
#endif

}  // namespace weft::detail
