// Between contexts and std::stop_token, for code that was written for std::jthread.
#pragma once
#include <weft/context.h>

#include <memory>
#include <stop_token>
#include <utility>

namespace weft {

// A token that is asked to stop when ctx is done. Its callbacks run inside the call that cancels and must
// not block. For a context that is never done, a token with stop_possible() false.
std::stop_token to_stop_token(const context& ctx);

namespace detail {
struct cancel_on_stop {
  node_ref<cancel_node> node;
  void operator()() const noexcept;
};
}  // namespace detail

// Cancels like a cancel_func; while it lives, so does the token.
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

struct [[nodiscard]] stoppable {
  context ctx;
  stop_token_cancel cancel;
};

// A context that is cancelled when the token is asked to stop, with the cause "stop requested".
stoppable with_stop_token(const context& parent, const std::stop_token& token);

}  // namespace weft
