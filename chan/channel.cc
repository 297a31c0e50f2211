#include <weft/detail/channel.h>

namespace weft::detail {

void panic_send_on_closed() { throw panic("send on closed channel"); }
void panic_close_of_closed() { throw panic("close of closed channel"); }
void panic_close_of_nil() { throw panic("close of nil channel"); }
void panic_size_out_of_range() { throw panic("makechan: size out of range"); }

void channel_base::close() {
  if (!close_once()) panic_close_of_closed();
}

bool channel_base::close_once() noexcept {
  waiter* to_wake = nullptr;
  {
    section hold(lock_);
    if (closed_locked()) return false;
    closed_.store(true, std::memory_order_release);  // [peek]
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
