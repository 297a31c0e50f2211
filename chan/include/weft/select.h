// Waiting on several channels. Go's select statement and reflect.Select.
//
//   switch (weft::select(recv(a, v), send(b, 7), weft::otherwise)) {
//     case 0: use(v); break;      // received v
//     case 1: sent(7); break;     // sent 7
//     case 2: idle(); break;      // neither was possible
//   }
//
// Operands are evaluated once, on entry. Among the ready cases one is chosen uniformly at random. A
// receive writes its variable only if its case is chosen; from a closed channel it writes T{}
// (nullopt, false). A send to a closed channel throws weft::panic. A nil channel is never ready.
// Without `otherwise` select blocks: the fiber parks, a plain thread sleeps. A case that sends
// takes its value on entry: an rvalue is moved from even if another case is chosen.
//
//   int v; bool ok;
//   switch (weft::select(recv(jobs, v, ok), recv(ctx.done()), recv(weft::after(1s)))) {
//     case 0: if (!ok) return; work(v); break;     // ok is false once jobs is closed and empty
//     case 1: return;                              // the context is done
//     case 2: report_idle(); break;                // nothing within a second
//   }
//
// All functions may be called from fibers and plain threads, not from signal handlers.
#pragma once
#include <weft/detail/case_pack.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace weft {

// The case that is chosen when no other case is ready. Its place counts in the index. Go's default.
inline constexpr detail::otherwise_t otherwise{};

// The cases of a select. `c` is a chan or a directional view of one. A case names its variables by
// reference: they must live until select returns.

// Receives and discards the value.
template <detail::receivable C>
auto recv(const C& c) {
  using E = detail::element<C>;
  return detail::case_maker<detail::recv_case<E, detail::discard<E>>, detail::channel<E>*, detail::discard<E>>(
      channel_of(c), {});
}
// Receives into v; writes T{} if the channel is closed. Go's case v = <-c.
template <detail::receivable C>
auto recv(const C& c, detail::element<C>& v)
  requires(!std::is_void_v<typename C::value_type>)
{
  using E = detail::element<C>;
  return detail::case_maker<detail::recv_case<E, detail::assign<E>>, detail::channel<E>*, detail::assign<E>>(
      channel_of(c), {&v, nullptr});
}
// Receives into v; ok is false if the channel is closed and empty. Go's case v, ok = <-c.
template <detail::receivable C>
auto recv(const C& c, detail::element<C>& v, bool& ok)
  requires(!std::is_void_v<typename C::value_type>)
{
  using E = detail::element<C>;
  return detail::case_maker<detail::recv_case<E, detail::assign<E>>, detail::channel<E>*, detail::assign<E>>(
      channel_of(c), {&v, &ok});
}
// Receives into v; writes nullopt if the channel is closed and empty. For types without a default
// constructor.
template <detail::receivable C>
auto recv(const C& c, std::optional<detail::element<C>>& v)
  requires(!std::is_void_v<typename C::value_type>)
{
  using E = detail::element<C>;
  return detail::case_maker<detail::recv_case<E, detail::assign_optional<E>>, detail::channel<E>*,
                            detail::assign_optional<E>>(channel_of(c), {&v});
}
// Receives from a chan<void>; ok is false if the channel is closed and empty.
template <detail::receivable C>
auto recv(const C& c, bool& ok)
  requires std::is_void_v<typename C::value_type>
{
  using E = detail::nothing;
  return detail::case_maker<detail::recv_case<E, detail::assign_ok>, detail::channel<E>*, detail::assign_ok>(
      channel_of(c), {&ok});
}
// Sends v. Throws weft::panic out of select if the channel is closed. Go's case c <- v.
template <detail::sendable C, class U>
auto send(const C& c, U&& v)
  requires(!std::is_void_v<typename C::value_type> && std::convertible_to<U, detail::element<C>>)
{
  using E = detail::element<C>;
  return detail::case_maker<detail::send_case<E>, detail::channel<E>*, U&&>(channel_of(c), std::forward<U>(v));
}
// Sends on a chan<void>.
template <detail::sendable C>
auto send(const C& c)
  requires std::is_void_v<typename C::value_type>
{
  using E = detail::nothing;
  return detail::case_maker<detail::send_case<E>, detail::channel<E>*, E>(channel_of(c), E{});
}

// A case for a select whose cases are known only at run time. Keeps its channel alive and owns the
// value that it sends. Copies name the same case. Go's reflect.SelectCase.
class select_case {
 public:
  template <class Case, class... A>
  select_case(detail::case_maker<Case, A...>&& m) : case_(std::move(m).make_owned()) {}  // NOLINT: converts

  detail::case_base* get() const noexcept { return case_.get(); }

 private:
  std::shared_ptr<detail::case_base> case_;  // copies, as a vector's braces make, name the same case
};

// Blocks until one case has run, and returns its index. A send case that has run holds no value any
// more and must be made again. Throws weft::panic if a case, or a copy of it, waits in another
// select at the same time. Blocks without end if there is no case. Go's reflect.Select.
std::size_t select(std::span<const select_case> cases);
// As select(cases), but returns nullopt if no case is ready. Never blocks.
std::optional<std::size_t> try_select(std::span<const select_case> cases);

// Blocks without end. Go's select {}.
[[noreturn]] void select();

// Blocks until one case can run, runs it and returns its index, from 0. With `otherwise` among the
// cases it never blocks: it returns the place of `otherwise` if no other case is ready. Throws what
// a send case throws. Allocates nothing for up to eight cases, unless a case sends a boxed element.
// Go's select statement.
template <class... Cases>
  requires(sizeof...(Cases) > 0 && ((detail::is_maker<std::decay_t<Cases>> || detail::is_otherwise<Cases>)&&...))
int select(Cases&&... cases) {
  constexpr int n_otherwise = (0 + ... + (detail::is_otherwise<Cases> ? 1 : 0));
  static_assert(n_otherwise <= 1, "a select has at most one `otherwise`");
  if constexpr (n_otherwise == 1 && sizeof...(Cases) == 2) {
    // One case and `otherwise`: one read decides, and it usually finds the case not ready.
    if (!(detail::could_run(cases) || ...)) {
      int at = 0, i = 0;
      ((detail::is_otherwise<Cases> ? void(at = i) : void(), ++i), ...);
      return at;
    }
  }
  detail::case_pack<std::decay_t<Cases>...> pack(std::forward<Cases>(cases)...);
  std::array<detail::case_base*, sizeof...(Cases)> real{};
  int n = 0, otherwise_at = -1;
  pack.fill(real.data(), n, otherwise_at, 0);
  const std::size_t chosen = detail::select_one({real.data(), static_cast<std::size_t>(n)},
                                                n_otherwise ? detail::when_none::give_up : detail::when_none::block);
  if (chosen == detail::none_ready) return otherwise_at;
  const int index = static_cast<int>(chosen);
  return otherwise_at >= 0 && index >= otherwise_at ? index + 1 : index;
}

}  // namespace weft
