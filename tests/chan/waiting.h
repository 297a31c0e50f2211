// Helpers for tests of channels: that a fiber is parked by now, and the text of a panic.
#pragma once
#include <weft/weft.h>

#include <atomic>
#include <string>

namespace weft::testing {

// Returns once `f` is true, letting others run.
template <class F>
void until(F f) {
  while (!f()) yield();
}

// On one P: returns once every other fiber has had its turn and parks. A single yield may be the
// fair turn of the global queue, and return immediately.
inline void settle() {
  for (int i = 0; i < 8; ++i) yield();
}

// Returns once a waiter is queued to receive from, or to send on, the channel.
template <class C>
void until_receiver(const C& c) {
  until([&] { return !channel_of(c)->receivers().empty_approx(); });
}
template <class C>
void until_sender(const C& c) {
  until([&] { return !channel_of(c)->senders().empty_approx(); });
}

// The words of the weft::panic that f throws; empty if it throws none.
template <class F>
std::string panic_text(F f) {
  try {
    f();
  } catch (const panic& p) {
    return p.what();
  }
  return {};
}

}  // namespace weft::testing
