// One case of a select: a channel, a waiter, and functions to try and to finish the operation. A
// case does not own its channel: the handle that it was made from outlives the select.
#pragma once
#include <weft/chan.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace weft::detail {

class case_base {
 public:
  case_base() = default;
  case_base(const case_base&) = delete;
  case_base& operator=(const case_base&) = delete;
  virtual ~case_base() = default;

  // Null: a nil channel, never ready.
  virtual channel_base* base() const noexcept = 0;
  virtual bool looks_ready() const noexcept = 0;
  virtual wait_queue& queue() const noexcept = 0;
  // With the channel's lock held.
  virtual attempt try_locked(waiter*& partner) = 0;
  // Without locks, after this case was chosen: the user's variables.
  virtual void finish() = 0;
  // Where a partner finds the value or leaves it.
  virtual void* slot() noexcept = 0;
  virtual bool is_send() const noexcept = 0;

  waiter w;
};

// Runs one of the cases and returns its index; none_ready only if it gives up. See select.cc.
enum class when_none { block, give_up };
inline constexpr std::size_t none_ready = static_cast<std::size_t>(-1);
std::size_t select_one(std::span<case_base* const> cases, when_none none);

// What a receive does with its value.
template <class T>
struct discard {
  void operator()(typename channel<T>::out&) const noexcept {}
};
template <class T>
struct assign {
  T* v;
  bool* ok;
  void operator()(typename channel<T>::out& o) const {
    if (ok) *ok = o.has_value();
    if (o) *v = from_slot<T>(*o);
    else if constexpr (std::is_default_constructible_v<T> && large<T>) *v = std::move(*std::make_unique<T>());
    else if constexpr (std::is_default_constructible_v<T>) *v = T{};
  }
};
template <class T>
struct assign_optional {
  std::optional<T>* v;
  void operator()(typename channel<T>::out& o) const {
    if (o) v->emplace(from_slot<T>(*o));
    else v->reset();
  }
};
struct assign_ok {  // chan<void>
  bool* ok;
  void operator()(channel<nothing>::out& o) const noexcept { *ok = o.has_value(); }
};

template <class T, class Sink>
class recv_case final : public case_base {
 public:
  recv_case(channel<T>* c, Sink sink) noexcept : c_(c), sink_(sink) {}
  channel_base* base() const noexcept override { return c_; }
  static bool could_run(const channel<T>* c) noexcept { return c && c->can_receive_approx(); }
  bool looks_ready() const noexcept override { return c_->can_receive_approx(); }
  wait_queue& queue() const noexcept override { return c_->receivers(); }
  attempt try_locked(waiter*& partner) override { return c_->try_receive_locked(out_, partner); }
  void finish() override {
    struct forget {  // also if the user's assignment throws: a select_case may be used again
      typename channel<T>::out& o;
      ~forget() { o.reset(); }
    } at_end{out_};
    sink_(out_);
  }
  void* slot() noexcept override { return &out_; }
  bool is_send() const noexcept override { return false; }

 private:
  channel<T>* c_;
  [[no_unique_address]] Sink sink_;
  typename channel<T>::out out_;
};

template <class T>
class send_case final : public case_base {
 public:
  template <class U>
  send_case(channel<T>* c, U&& v) : c_(c), s_(to_slot<T>(std::forward<U>(v))) {}
  channel_base* base() const noexcept override { return c_; }
  static bool could_run(const channel<T>* c) noexcept { return c && c->can_send_approx(); }
  bool looks_ready() const noexcept override { return c_->can_send_approx(); }
  wait_queue& queue() const noexcept override { return c_->senders(); }
  attempt try_locked(waiter*& partner) override { return c_->try_send_locked(s_, partner); }
  void finish() override {}
  void* slot() noexcept override { return &s_; }
  bool is_send() const noexcept override { return true; }

 private:
  channel<T>* c_;
  slot_of<T> s_;
};

struct otherwise_t {};

}  // namespace weft::detail
