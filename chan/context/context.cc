// The root contexts, the queries that every context answers, and derivation without a clock.
#include <weft/context.h>

#include <vector>

#include "chan/context/cancel_node.h"

namespace weft {
namespace detail {
namespace {

struct root_node final : context_node {
  const char* const what;
  constexpr explicit root_node(const char* w) noexcept : context_node(nullptr), what(w) {}
  const char* name() const noexcept override { return what; }
};
constinit root_node the_background{"background"};
constinit root_node the_todo{"todo"};

struct detached_node final : context_node {
  explicit detached_node(context_node* of) noexcept : context_node(of) { canceler = nullptr; }
  const char* name() const noexcept override { return "without_cancel"; }
};

node_ref<cancel_node> new_cancel_node(const context& parent) {
  node_ref<cancel_node> n(new cancel_node(&parent.node()));
  adopt(n.get());
  return n;
}

}  // namespace

channel_base* done_channel(const context& ctx) {
  cancel_node* c = ctx.node().canceler;
  return c ? channel_of(c->done()) : nullptr;
}
std::error_code error_of(const context& ctx) {
  cancel_node* c = ctx.node().canceler;
  const int status = c ? c->status() : 0;
  if (!status) return {};
  c->close_done();
  return static_cast<errc>(status);
}

}  // namespace detail

using namespace detail;

void context::panic_nil() { throw panic("context: use of a nil context"); }

const recv_chan<void>& context::done() const {
  static const recv_chan<void> never_closed;
  cancel_node* c = node().canceler;
  return c ? c->done() : never_closed;
}

std::error_code context::err() const {
  if (cancel_node* c = node().canceler; c && in_line.simulated) [[unlikely]]
    sim_point(sim_op::peek, c);
  return error_of(*this);
}

std::string context::cause() const {
  const std::error_code e = err();
  if (!e) return {};
  const cause_words& words = node().canceler->cause();
  return words ? *words : e.message();
}

std::optional<time_point> context::deadline() const {
  const cancel_node* c = node().canceler;
  if (!c || c->deadline_ns == never) return std::nullopt;
  return time_point(duration(c->deadline_ns));
}

std::string to_string(const context& ctx) {
  if (!ctx) return "nil";
  std::vector<const char*> names;
  for (const context_node* n = &ctx.node(); n; n = n->parent) names.push_back(n->name());
  std::string s = names.back();
  names.pop_back();
  for (; !names.empty(); names.pop_back()) (s += '.') += names.back();
  return s;
}

context background() { return context(node_ref<context_node>(&the_background)); }
context todo() { return context(node_ref<context_node>(&the_todo)); }

cancelable with_cancel(const context& parent) {
  node_ref<cancel_node> n = new_cancel_node(parent);
  return {context_over(n), cancel_func(std::move(n))};
}

cancelable_with_cause with_cancel_cause(const context& parent) {
  node_ref<cancel_node> n = new_cancel_node(parent);
  return {context_over(n), cancel_cause_func(std::move(n))};
}

context without_cancel(const context& parent) {
  return context(node_ref<context_node>(new detached_node(&parent.node())));
}

void cancel_func::operator()() const noexcept {
  if (n_.get()) cancel_tree(n_.get(), errc::canceled, nullptr);
}

void cancel_cause_func::operator()(std::string_view why) const {
  cancel_node* n = plain_.n_.get();
  if (!n) return;
  cause_words words = why.empty() ? nullptr : std::make_shared<const std::string>(why);
  cancel_tree(n, errc::canceled, words);
}

std::error_code sleep(const context& ctx, duration d) {
  if (const std::error_code e = ctx.err(); e || d.count() <= 0) return e;
  const wait_bound until{.ctx = &ctx, .deadline_ns = deadline_after(d)};
  return wait_for_bound(wait_reason::sleep, until) == wait_end::canceled ? ctx.err() : std::error_code();
}

}  // namespace weft
