// A value on its way into a channel that may not take it: in a channel of boxed elements it travels
// in its box.
#pragma once
#include <weft/detail/channel.h>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace weft::detail {

// Moves a boxed value back into the variable that it came from, unless a receiver has taken it.
template <class E>
struct give_back {
  E& v;
  slot_of<E>& s;
  ~give_back() {
    if (!s) return;
    std::destroy_at(&v);
    std::construct_at(&v, std::move(*s));
  }
};

// Calls f on v as a slot and returns true if f took it; else moves the value back into v. Without a
// channel (`there` is false) v is not touched.
template <class E, class F>
bool with_slot(E& v, F f, bool there) {
  if (!there) return false;
  if constexpr (boxed<E> && std::is_nothrow_move_constructible_v<E>) {
    slot_of<E> s = to_slot<E>(std::move(v));
    const give_back<E> at_end{v, s};
    return f(s) == attempt::done;
  } else if constexpr (boxed<E> && std::copy_constructible<E>) {
    slot_of<E> s = to_slot<E>(std::as_const(v));
    return f(s) == attempt::done;
  } else if constexpr (boxed<E>) {
    static_assert(std::is_move_assignable_v<E>, "a value that was not sent could not be given back");
    slot_of<E> s = to_slot<E>(std::move(v));
    bool went = false;
    try {
      went = f(s) == attempt::done;
    } catch (...) {  // the channel is closed
      if (s) v = std::move(*s);
      throw;
    }
    if (!went) v = std::move(*s);
    return went;
  } else {
    return f(v) == attempt::done;
  }
}

}  // namespace weft::detail
