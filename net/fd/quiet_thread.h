// A detached OS thread with all signals blocked, so that signals reach the threads that handle
// them.
#pragma once
#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

namespace weft::detail {

// Runs f() on a new thread. Returns the system's error if no thread can be made.
template <class F>
std::error_code start_quiet_thread(F f) {
  sigset_t all, own;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &own);
  std::error_code failed;
  try {
    std::thread(std::move(f)).detach();
  } catch (const std::system_error& e) {
    failed = e.code();
  }
  pthread_sigmask(SIG_SETMASK, &own, nullptr);
  return failed;
}

}  // namespace weft::detail
