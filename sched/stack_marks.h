// How far down fibers use their stacks, by go statement: WEFT_DEBUG=stacks.
//
// The system knows which pages of a stack were touched, so nothing is painted and nothing is paid while the fiber
// runs. When it ends, the pages are counted and given back, so that the next one on that stack starts with none.
// Hence the figures are whole pages, and fibers that end one after another do not share a stack without a switch.
//
// Refused: a pattern on every new stack, which would commit all of it; counting without giving back, which would
// charge a fiber with what others did before it.
#pragma once
#include <weft/go.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/stack.h"

namespace weft::detail {

struct G;
struct world;

class stack_marks {
 public:
  // g has ended and is off its stack, of which it is the last that reads anything. It is free when this returns: a
  // report finds it as one that has ended or as one that lives, and not as both or neither.
  void note_end(G& g);
  // Those that have ended, and those that live now. Any thread.
  std::vector<stack_use> report(world& w);

 private:
  struct mark {
    std::uint64_t fibers = 0;
    std::size_t most = 0, size = 0;
  };
  void note(const void* site, std::size_t bytes, std::size_t size);

  spin_lock lock_;  // for long; nobody else waits for it
  std::map<const void*, mark> by_site_;  // under lock_
};

// Bytes from the lowest page of `s` that was ever touched to its top.
std::size_t touched(const stack& s) noexcept;

// Writes a line for each go statement to standard error, the deepest first.
void report_stack_use(world& w);

}  // namespace weft::detail
