// The iterator of `for (T v : ch)`.
#pragma once
#include <weft/detail/channel.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>

namespace weft::detail {

// Receives from a `Handle` of a channel of T by its recv() and recv_into(). Holds the value that
// was received last. Is at the end when there was none: the channel is closed and empty.
template <class T, class Handle>
class chan_iterator {
  using E = element_of<T>;

 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = E;
  using difference_type = std::ptrdiff_t;
  using reference = E&;
  using pointer = E*;

  chan_iterator() noexcept = default;
  explicit chan_iterator(const Handle* from) : from_(from) { ++*this; }
  E& operator*() const noexcept { return *value_; }
  E* operator->() const noexcept { return &*value_; }
  // Blocks until the next value arrives, or the channel is closed and empty.
  chan_iterator& operator++() {
    value_.reset();
    if constexpr (std::is_void_v<T>) {
      if (from_->recv()) value_.emplace();
    } else if constexpr (large<E>) {
      from_->recv_into(value_);
    } else {
      value_ = from_->recv();
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const chan_iterator& i, std::default_sentinel_t) noexcept { return !i.value_; }

 private:
  const Handle* from_ = nullptr;
  mutable std::optional<E> value_;
};

}  // namespace weft::detail
