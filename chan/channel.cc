#include <fmt/format.h>
#include <weft/detail/channel.h>

#include <mutex>
#include <unordered_map>

namespace weft::detail {

void panic_close_of_nil() { throw panic("close of nil channel"); }
void panic_size_out_of_range() { throw panic("makechan: size out of range"); }

void panic_of_ended(const char* use) { throw panic(fmt::format("{} of a simulation that has ended", use)); }

void channel_base::panic_of_send() const {
  if (ended_locked()) panic_of_ended("send on channel");
  throw panic("send on closed channel");
}
void channel_base::panic_of_wait_if_ended() const {
  if (ended_locked()) panic_of_ended("wait with context");
}

namespace {

// The numbers of elements in the rings of channels that have ended, other than 0: their count is 0
// from then on.
struct kept_elements {
  std::mutex mutex;
  std::unordered_map<const channel_base*, std::size_t> of;  // under mutex
};
kept_elements& kept() {
  static auto& all = *new kept_elements;
  return all;
}

}  // namespace

std::size_t channel_base::forget_kept() noexcept {
  const std::lock_guard hold(kept().mutex);
  const auto at = kept().of.find(this);
  if (at == kept().of.end()) return 0;
  const std::size_t n = at->second;
  kept().of.erase(at);
  return n;
}

// What is in the ring may refer to what has gone with the schedule, so it is not destroyed before
// the channel is.
void channel_base::schedule_has_ended() noexcept {
  lock_.unlock();  // a fiber that is gone may have held it
  receivers_.clear();
  senders_.clear();
  if (const std::size_t n = count_.load(std::memory_order_relaxed); n > 0) {
    const std::lock_guard hold(kept().mutex);
    kept().of[this] += n;
    count_.store(0, std::memory_order_relaxed);
  }
  state_.store(channel_state::ended, std::memory_order_release);  // [peek]
}

void channel_base::close() {
  if (close_once()) return;
  if (ended_locked()) panic_of_ended("close of channel");
  throw panic("close of closed channel");
}

bool channel_base::close_once() noexcept {
  waiter* to_wake = nullptr;
  {
    section hold(lock_);
    if (closed_locked()) return false;
    state_.store(channel_state::closed, std::memory_order_release);  // [peek]
    // All senders and receivers: their result is `ok` with its initial value, false.
    for (wait_queue* q : {&senders_, &receivers_})
      while (waiter* w = q->take()) {
        w->next = to_wake;
        to_wake = w;
      }
  }
  // The list is in reverse order; waiters are woken in the order in which they arrived.
  waiter* in_order = nullptr;
  while (to_wake) {
    waiter* next = to_wake->next;
    to_wake->next = in_order;
    in_order = to_wake;
    to_wake = next;
  }
  while (in_order) {
    waiter* next = in_order->next;  // before its owner runs and the record is gone
    ready(in_order->g);
    in_order = next;
  }
  return true;
}

}  // namespace weft::detail
