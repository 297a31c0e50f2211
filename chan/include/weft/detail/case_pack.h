// The cases of a select as they are written in its call, and the place where they are built.
#pragma once
#include <weft/detail/select_case.h>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft::detail {

// A case as written in the call: builds the case object in place, or on the heap for a select_case.
template <class Case, class... A>
class case_maker {
 public:
  using case_type = Case;
  explicit case_maker(A... a) : args_(std::forward<A>(a)...) {}
  Case make() && {
    return std::apply([](auto&&... a) { return Case(std::forward<decltype(a)>(a)...); }, std::move(args_));
  }
  std::shared_ptr<case_base> make_owned() && {
    std::shared_ptr<Case> made = std::apply(
        [](auto&&... a) { return std::make_shared<Case>(std::forward<decltype(a)>(a)...); }, std::move(args_));
    if (channel_base* b = made->base()) {  // the channel must live as long as the case
      b->add_ref();
      return {made.get(), [made, b](case_base*) { b->drop_ref(); }};
    }
    return made;
  }
  // Reads without the lock, before the case is built, whether the case could run.
  bool could_run() const noexcept { return Case::could_run(std::get<0>(args_)); }

 private:
  std::tuple<A...> args_;
};

template <class Handle>
using element = element_of<typename Handle::value_type>;
template <class Handle>
concept receivable = requires(const Handle& h) { h.recv(); };
template <class Handle>
concept sendable = requires(const Handle& h) { h.close(); };

template <class M>
inline constexpr bool is_maker = false;
template <class Case, class... A>
inline constexpr bool is_maker<case_maker<Case, A...>> = true;
template <class M>
inline constexpr bool is_otherwise = std::is_same_v<std::decay_t<M>, otherwise_t>;

struct no_case {};
template <class M>
bool could_run(const M& m) noexcept {
  if constexpr (is_otherwise<M>) return false;
  else return m.could_run();
}
template <class M>
auto make_case(M&& m) {
  if constexpr (is_otherwise<M>) return no_case{};
  else return std::move(m).make();
}
template <class M>
struct case_holder {
  using type = typename M::case_type;
};
template <>
struct case_holder<otherwise_t> {
  using type = no_case;
};

// The cases, built in place in the order in which they are written.
template <class... M>
struct case_pack;
template <>
struct case_pack<> {
  void fill(case_base**, int&, int&, int) noexcept {}
};
template <class M, class... Rest>
struct case_pack<M, Rest...> {
  typename case_holder<std::decay_t<M>>::type first;
  case_pack<Rest...> rest;

  template <class A, class... As>
  explicit case_pack(A&& a, As&&... as) : first(make_case(std::forward<A>(a))), rest(std::forward<As>(as)...) {}

  // Lists the real cases in order, and the place of `otherwise`.
  void fill(case_base** at, int& n, int& otherwise_at, int i) noexcept {
    if constexpr (is_otherwise<M>) otherwise_at = i;
    else at[n++] = &first;
    rest.fill(at, n, otherwise_at, i + 1);
  }
};

}  // namespace weft::detail
