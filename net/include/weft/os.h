// Signals, as values in channels and as the end of a context: Go's os/signal. Pipes of the system.
// Child processes are in process.h.
#pragma once
#include <signal.h>
#include <weft/chan.h>
#include <weft/context.h>
#include <weft/errors.h>
#include <weft/fs.h>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace weft::os {

// Sends each of these signals to `to` from now on, instead of its previous action. A signal is
// dropped if the channel has no room for it: make the channel with a buffer. May be called again,
// for more signals or channels. While signals are registered there is no deadlock check. Throws
// weft::panic for a nil channel and for a signal that is invalid or cannot be caught. Does not
// block. From fibers and plain threads. Go's signal.Notify.
void signal_notify(const chan<int>& to, std::initializer_list<int> signals);
// Sends no more signals to `to`. A signal without a channel has its previous action again. Does not
// block. From fibers and plain threads. Go's signal.Stop.
void signal_stop(const chan<int>& to);

// Unregisters the signals and cancels the context when called or destroyed. Move-only. May be
// called several times and from several fibers: each call returns when the context is done.
class [[nodiscard]] stop_signals {
 public:
  stop_signals(std::uint64_t wish, cancel_cause_func cancel) noexcept : wish_(wish), cancel_(std::move(cancel)) {}
  stop_signals(stop_signals&& o) noexcept
      : wish_(o.wish_.exchange(0, std::memory_order_relaxed)), cancel_(std::move(o.cancel_)) {}
  stop_signals& operator=(stop_signals&&) = delete;
  ~stop_signals() { (*this)(); }
  void operator()() noexcept;

 private:
  std::atomic<std::uint64_t> wish_;
  cancel_cause_func cancel_;
};

// The result of signal_context().
struct [[nodiscard]] signal_cancelable {
  context ctx;
  stop_signals stop;
};

// Returns a context that the first of these signals cancels; cause() describes the signal. Throws
// weft::panic as signal_notify(). Does not block. From fibers and plain threads. Go's
// signal.NotifyContext.
signal_cancelable signal_context(const context& parent, std::initializer_list<int> signals);

// The two ends of a pipe of the system.
struct pipe_ends {
  fs::file reader, writer;
};
// Makes a pipe of the system. Fibers wait at its ends as at a connection. Reads return errc::eof
// after the last writer is closed; writes return std::errc::broken_pipe, without SIGPIPE, after the
// last reader is closed. Child processes do not inherit the ends. Errors: the system's. Does not
// block. Go's os.Pipe.
result<pipe_ends> pipe();

}  // namespace weft::os
