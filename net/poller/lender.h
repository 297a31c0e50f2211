// Buffers that a ring lends to what is received, so that a connection needs none while it waits.
//
// A buffer of its own costs each connection a page, and a server has ten thousand that are silent. The kernel takes
// one of these only when there is something to put into it, in the order in which they were given to it. It is the
// receiver's until it is given back, by any thread and at any time, also after the ring has gone.
//
// Few are offered, so that the same memory is used again while it is in the cache; each time that there was none
// left some more are, up to a limit. A receive that finds none does without: net/received.cc.
//
// Refused: as many as may ever be wanted from the beginning. The kernel goes round all of them, and the cache with it.
#pragma once
#include <liburing.h>
#include <weft/detail/spin_lock.h>

#include <cstddef>

namespace weft::detail {

class lender {
 public:
  static constexpr std::size_t size = 4096;  // bytes of a buffer
  static constexpr unsigned short group = 0;

  // Null if the kernel will not, or there is no memory.
  static lender* for_ring(io_uring& ring) noexcept;
  lender(const lender&) = delete;
  lender& operator=(const lender&) = delete;
  // The ring goes. Deletes this, once all is given back.
  void retire() noexcept;

  // The kernel has filled this one: it is lent from now on.
  std::byte* take(unsigned id) noexcept;
  // The last touch of this.
  void give_back(unsigned id) noexcept;
  // There was none left.
  void grow() noexcept;

 private:
  static constexpr unsigned most = 1024, step = 64;
  explicit lender(void* memory) noexcept;
  ~lender();
  std::byte* at(unsigned id) const noexcept { return buffers_ + id * size; }
  void offer_locked(unsigned id, int place) noexcept;

  io_uring_buf_ring* const ring_;  // shared with the kernel; the buffers lie behind it
  std::byte* const buffers_;
  spin_lock lock_;                 // the next under it
  unsigned offered_ = 0;           // of all, so many have been
  unsigned lent_ = 0;
  bool retired_ = false;
};

}  // namespace weft::detail
