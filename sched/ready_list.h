// A singly linked list of runnables on their way into run queues. First in, first out.
#pragma once
#include <weft/detail/spawn.h>

#include <cstddef>

namespace weft::detail {

class ready_list {
 public:
  bool empty() const noexcept { return !first_; }
  std::size_t size() const noexcept { return size_; }

  void push(runnable* r) noexcept {
    r->next = nullptr;
    append(r, r, 1);
  }
  // Appends a linked chain of n.
  void append(runnable* first, runnable* last, std::size_t n) noexcept {
    if (last_) last_->next = first;
    else first_ = first;
    last_ = last;
    size_ += n;
  }
  runnable* pop() noexcept {
    runnable* r = first_;
    if (!r) return nullptr;
    first_ = r->next;
    if (!first_) last_ = nullptr;
    --size_;
    return r;
  }
  runnable* first() const noexcept { return first_; }

 private:
  runnable* first_ = nullptr;
  runnable* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weft::detail
