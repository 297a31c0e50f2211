// Signals as values in channels, and as the end of a context, Go's os/signal; and pipes of the system. Child processes
// are in process.h.
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

// From now on each of these signals is sent to `to`, and does not do what it would by default. A signal that finds
// no room in the channel is lost for it: give it a place. May be called again, for more signals or channels. While
// any is wanted no deadlock verdict is spoken. Throws weft::panic for a nil channel and for a signal that is none or
// cannot be caught.
void signal_notify(const chan<int>& to, std::initializer_list<int> signals);
// No more to this channel. A signal that nobody wants any more does again what it did before.
void signal_stop(const chan<int>& to);

// Takes its wish back, and cancels its context: when called, or when it goes out of scope. Move-only. May be called
// often and from many fibers at once: then each call returns when the context is done.
class [[nodiscard]] stop_signals {
 public:
  stop_signals(std::uint64_t wish, cancel_cause_func cancel) noexcept : wish_(wish), cancel_(std::move(cancel)) {}
  stop_signals(stop_signals&& o) noexcept
      : wish_(o.wish_.exchange(0, std::memory_order_relaxed)), cancel_(std::move(o.cancel_)) {}
  stop_signals& operator=(stop_signals&&) = delete;
  ~stop_signals() { (*this)(); }
  void operator()() noexcept;

 private:
  std::atomic<std::uint64_t> wish_;  // 0: taken back
  cancel_cause_func cancel_;
};

struct [[nodiscard]] signal_cancelable {
  context ctx;
  stop_signals stop;
};

// A context that the first of these signals cancels; cause() says which it was. Go's NotifyContext.
signal_cancelable signal_context(const context& parent, std::initializer_list<int> signals);

struct pipe_ends {
  fs::file reader, writer;
};
// A pipe of the system, in whose ends fibers wait as in connections. reader: errc::eof once the last writer is closed;
// writer: std::errc::broken_pipe once the last reader is, and no SIGPIPE. Children inherit neither. Go's os.Pipe.
result<pipe_ends> pipe();

}  // namespace weft::os
