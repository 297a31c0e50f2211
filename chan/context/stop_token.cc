#include <weft/stop_token.h>

#include "chan/context/cancel_node.h"

namespace weft {

using namespace detail;

std::stop_token to_stop_token(const context& ctx) {
  cancel_node* c = ctx.node().canceler;
  return c ? c->stop_token() : std::stop_token();
}

void detail::cancel_on_stop::operator()() const noexcept {
  static const cause_words why = std::make_shared<const std::string>("stop requested");
  cancel_tree(node.get(), errc::canceled, why);
}

stoppable with_stop_token(const context& parent, const std::stop_token& token) {
  node_ref<cancel_node> n(new cancel_node(&parent.node()));
  adopt(n.get());
  context ctx = context_over(n);
  cancel_func cancel(n);
  return {std::move(ctx), stop_token_cancel(std::move(cancel), token, cancel_on_stop{std::move(n)})};
}

}  // namespace weft
