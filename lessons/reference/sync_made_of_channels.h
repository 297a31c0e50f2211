// The primitives of R11: package sync, made of nothing but channels and select.
#pragma once
#include <weft/weft.h>

namespace made_of_channels {

using weft::chan;
using weft::make_chan;

// The channel has one permission. The fiber that takes it runs f, and closes: then all other fibers
// pass.
class once {
 public:
  once() { permission_.send(); }
  template <class F>
  void call(F f) {
    if (!permission_.recv()) return;
    f();
    permission_.close();
  }

 private:
  chan<void> permission_ = make_chan<void>(1);
};

// Room for one: a send is the lock, a receive the unlock.
class mutex {
 public:
  void lock() { held_.send(); }
  void unlock() {
    if (!held_.try_recv()) throw weft::panic("unlock of unlocked mutex");
  }
  bool try_lock() { return held_.try_send(); }

 private:
  chan<void> held_ = make_chan<void>(1);
};

// Either the writer's token lies in `write_`, or the number of readers in `readers_`, or neither:
// unlocked.
class rw_mutex {
 public:
  void lock() { write_.send(); }
  void unlock() { write_.recv(); }
  void lock_shared() {
    int readers = 0;
    // The first reader keeps writers out, the others count themselves.
    weft::select(send(write_), recv(readers_, readers));
    readers_.send(readers + 1);
  }
  void unlock_shared() {
    const int readers = *readers_.recv() - 1;
    if (readers == 0) write_.recv();
    else readers_.send(readers);
  }

 private:
  chan<void> write_ = make_chan<void>(1);
  chan<int> readers_ = make_chan<int>(1);
};

// What fits into the buffer is kept.
template <class T>
class pool {
 public:
  explicit pool(std::size_t room) : buffer_(make_chan<T>(room)) {}
  T get() { return buffer_.try_recv().value_or(T()); }
  void put(T v) { (void)buffer_.try_send(std::move(v)); }

 private:
  chan<T> buffer_;
};

// The count and a channel that is closed when it comes to zero; the next round gets a new one.
class wait_group {
  struct generation {
    int count = 0;
    chan<void> zero;
  };

 public:
  wait_group() { state_.send({}); }
  void add(int n) {
    generation now = *state_.recv();
    if (now.count == 0) now.zero = make_chan<void>();
    if (now.count + n < 0) {
      state_.send(now);
      throw weft::panic("negative wait group count");
    }
    now.count += n;
    if (now.count == 0) now.zero.close();
    state_.send(now);
  }
  void wait() {
    const generation now = *state_.recv();
    state_.send(now);
    if (now.zero) now.zero.recv();
  }

 private:
  chan<generation> state_ = make_chan<generation>(1);
};

// A waiter takes the barrier before it gives up the lock; broadcast closes it and leaves a new one.
class cond {
 public:
  cond() { barriers_.send(make_chan<void>()); }
  void wait(mutex& held) {
    const chan<void> barrier = *barriers_.recv();
    barriers_.send(barrier);
    held.unlock();
    barrier.recv();
    held.lock();
  }
  void broadcast() {
    barriers_.recv()->close();
    barriers_.send(make_chan<void>());
  }

 private:
  chan<chan<void>> barriers_ = make_chan<chan<void>>(1);
};

}  // namespace made_of_channels
