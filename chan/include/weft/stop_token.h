// Conversions between contexts and std::stop_token, for code that was written for std::jthread.
//
//   auto [ctx, cancel] = weft::with_stop_token(weft::background(), token);   // token -> context
//   std::jthread t([token = weft::to_stop_token(ctx)] { ... });              // context -> token
//
// A context carries a deadline, values and a cause; a stop token carries the request to stop only.
// So a context that is made from a token has no deadline.
#pragma once
#include <weft/context.h>

#include <memory>
#include <stop_token>
#include <utility>

namespace weft {

// Returns a token whose stop is requested when ctx is done. The token's callbacks run inside the
// call that cancels ctx and must not block. For a context that is never done, stop_possible() is
// false. From fibers and plain threads.
std::stop_token to_stop_token(const context& ctx);

namespace detail {
struct cancel_on_stop {
  node_ref<cancel_node> node;
  void operator()() const noexcept;
};
}  // namespace detail

// A cancel_func that keeps its connection to the stop token. Its destructor cancels the context.
class [[nodiscard]] stop_token_cancel {
 public:
  stop_token_cancel(cancel_func cancel, const std::stop_token& token, detail::cancel_on_stop hook)
      : cancel_(std::move(cancel)),
        hook_(std::make_unique<std::stop_callback<detail::cancel_on_stop>>(token, std::move(hook))) {}
  void operator()() const noexcept { cancel_(); }

 private:
  cancel_func cancel_;
  std::unique_ptr<std::stop_callback<detail::cancel_on_stop>> hook_;
};

// The result of with_stop_token().
struct [[nodiscard]] stoppable {
  context ctx;
  stop_token_cancel cancel;
};

// Returns a context that is cancelled when the token's stop is requested, with the cause "stop
// requested". Throws weft::panic for a nil parent. Never blocks. From fibers and plain threads.
stoppable with_stop_token(const context& parent, const std::stop_token& token);

}  // namespace weft
