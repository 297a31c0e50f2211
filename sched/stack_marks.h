// How far down fibers use their stacks, by go statement: WEFT_DEBUG=stacks.
//
// The system knows which pages of a stack were touched, so nothing is painted and nothing is paid
// while the fiber runs. When it ends, the pages are counted and given back, so that the next one on
// that stack starts with none. Hence the figures are whole pages, and fibers that end one after
// another do not share a stack without a switch.
//
// Refused: a pattern on every new stack, which would commit all of it; counting without giving
// back, which would charge a fiber with the use of earlier fibers.
#pragma once
#include <weft/detail/spin_lock.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "runtime/stack.h"

namespace weft::detail {

struct G;

class stack_marks {
 public:
  // g has ended and is off its stack, of which it is the last that reads anything. It is free when
  // this returns: a report finds it as one that has ended or as one that lives, and not as both or
  // neither.
  void record_fiber_end(G& g);

  struct mark {
    std::uint64_t fibers = 0;
    std::size_t most = 0, size = 0;  // bytes
  };
  using by_site = std::map<const void*, mark>;  // null: the main fiber
  // Adds a fiber that used `bytes` of a stack of `size` bytes.
  static void add(by_site& marks, const void* site, std::size_t bytes, std::size_t size);
  // Returns the marks of the fibers that have ended. Calls add_living on the copy while no fiber
  // can end. Any thread.
  by_site snapshot(const std::function<void(by_site&)>& add_living);

 private:
  spin_lock lock_;  // held for long: only record_fiber_end() and snapshot() take it
  by_site by_site_;  // under lock_
};

// Bytes from the lowest page of `s` that was ever touched to its top.
std::size_t touched(const stack& s) noexcept;

}  // namespace weft::detail
