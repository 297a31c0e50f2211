// Around system calls that have no MSG_NOSIGNAL: write, sendfile, splice.
//
// Such a call on a pipe or socket that has no reader returns EPIPE, or the part that was written
// before, and sends SIGPIPE to the calling thread. The signal is blocked during the call and then
// removed, unless the caller has blocked it.
#pragma once
#include <pthread.h>
#include <signal.h>

#include <ctime>

namespace weft::detail {

class no_sigpipe {
 public:
  no_sigpipe() noexcept {
    sigemptyset(&it_);
    sigaddset(&it_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &it_, &before_);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;
  ~no_sigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // Returns `done`. To be called when the call has not written everything.
  template <class N>
  N not_all(N done) const noexcept {
    const timespec none{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&it_, nullptr, &none);
    return done;
  }

 private:
  sigset_t it_{}, before_{};
};

}  // namespace weft::detail
