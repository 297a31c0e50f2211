// parallel_for and parallel_reduce: a range of indices as one fork record, which is split when it
// is shared.
//
// A piece is a range, [next, last), that one fiber works through from the front, block by block.
// Its record stands for the rest. Sharing the record gives the rear half (to an idle P) or all of
// the rest (before a suspension) to a child piece with a fiber of its own, which can be split in
// turn. So a range that no P takes is a loop, and the number of splits follows the number of idle
// Ps, not the size of the range.
//
// The children of a piece, newest first, are in the order of their indices, behind what the piece
// did itself.
//
// Refused: splitting in halves down to a grain (a fork for each grain, and a grain that must be
// known).
#pragma once
#include <weft/detail/fork_join.h>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace weft::detail {

template <class I>
concept range_index = (std::integral<I> && !std::same_as<I, bool>) || std::random_access_iterator<I>;

template <class R>
concept indexed_range = requires(R& r) {
  requires std::random_access_iterator<decltype(std::begin(r))>;
  std::size(r);
};

// The number of steps from `from` to `to`, which is not before it. Does not overflow.
template <range_index I>
std::uint64_t steps_between(I from, I to) noexcept {
  if constexpr (std::integral<I>) return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  else return static_cast<std::uint64_t>(to - from);
}
template <range_index I>
I step_on(I i, std::uint64_t n) noexcept {
  if constexpr (std::integral<I>) return static_cast<I>(static_cast<std::uint64_t>(i) + n);
  else return i + static_cast<std::iter_difference_t<I>>(n);
}

void check_grain(std::ptrdiff_t grain);

// What all pieces of one call share.
struct range_call {
  std::uint64_t grain;  // 0: chosen
  const void* site;
  std::atomic<bool> failed{false};  // an iteration has thrown: begin no more of them
};

// The size of the next block, chosen so that a block lasts 1 to 4 us. The first blocks have one
// iteration each and are not timed: reading the clock would be the larger part of a short range.
class block_size {
 public:
  explicit block_size(std::uint64_t grain) noexcept : fixed_(grain != 0), n_(fixed_ ? grain : 1) {}
  std::uint64_t next() noexcept {
    if (!fixed_) adapt();
    return n_;
  }

 private:
  void adapt() noexcept {
    if (untimed_ != 0) {
      --untimed_;
      return;
    }
    const std::uint64_t now = fork_ticks();
    if (began_ != 0) {
      const std::uint64_t us = fork_ticks_per_us(), took = now - began_;
      if (took < us) n_ = std::min(2 * n_, most);
      else if (took > 4 * us) n_ = std::max<std::uint64_t>(n_ / 2, 1);
    }
    began_ = now;
  }

  static constexpr std::uint64_t most = 1 << 16;
  const bool fixed_;
  int untimed_ = 16;
  std::uint64_t n_, began_ = 0;
};

// Work: run(from, to), join(Work& later), and a copy constructor that makes the work of a child.
template <class I, class Work>
class range_piece : fork_record {
 public:
  range_piece(I first, I end, const Work& like, range_call& c) noexcept
      : fork_record(&share_rest), next_(first), last_(end), call_(c), work(like) {}
  ~range_piece() {  // children remain only if a schedule of a simulation ends during the join
    while (child* const c = children_) {
      children_ = c->older;
      delete c;
    }
  }

  // Works through the piece, and joins its children's results into `work`. Throws nothing: `failed`
  // records it.
  void run(m_face* m, branch_failures& failed) {
    open_fork(m, *this);
    try {
      run_blocks(m);
    } catch (const goexit_signal&) {
      failed.exited = true;
      call_.failed.store(true, std::memory_order_relaxed);
    } catch (...) {
      failed.first = caught_exception();
      call_.failed.store(true, std::memory_order_relaxed);
    }
    if (open) close_fork(m, *this);
    join_children(failed);
  }

 private:
  struct child {
    child(I from, I to, const range_piece& parent) noexcept
        : piece(from, to, parent.work.for_child(), parent.call_), older(parent.children_) {}
    range_piece piece;
    branch_end end;
    branch_failures failed;
    child* older;
  };

  void run_blocks(m_face* m) {
    block_size size(call_.grain);
    while (next_ < last_ && !call_.failed.load(std::memory_order_relaxed)) {
      const I from = next_;
      const I to = step_on(from, std::min(size.next(), steps_between(from, last_)));
      next_ = to;  // what is behind is the record's
      inside_ = true;
      work.run(from, to);
      inside_ = false;
      // Not open: this fiber has suspended since, perhaps m runs another one now.
      if (open && m->idle_ps->load(std::memory_order_relaxed) > 0) share_oldest_fork(m);
    }
  }

  static bool share_rest(fork_record& r, share_how how) noexcept {
    auto& self = static_cast<range_piece&>(r);
    if (!(self.next_ < self.last_)) return true;
    const std::uint64_t n = steps_between(self.next_, self.last_);
    // Between two blocks the owner is about to begin the last iteration: giving it away gains
    // nothing.
    if (how == share_how::part && n == 1 && !self.inside_) return false;
    const I from = how == share_how::all || n == 1 ? self.next_ : step_on(self.next_, (n + 1) / 2);
    std::unique_ptr<child> c(new (std::nothrow) child(from, self.last_, self));
    if (!c) return false;
    c->end.ended.add(1);
    if (!submit_fork(&run_child, c.get(), self.call_.site)) return false;
    self.shared = true;
    self.last_ = from;
    self.children_ = c.release();
    return !(self.next_ < self.last_);
  }
  static void run_child(void* at) {
    auto* const c = static_cast<child*>(at);
    c->end.run([c] {
      c->piece.run(fork_list(), c->failed);
      c->failed.rethrow();
    });
  }

  void join_children(branch_failures& failed) {
    while (child* const c = children_) {
      const std::unique_ptr<child> at_end(c);
      children_ = c->older;
      c->end.ended.wait();
      failed.add(c->end);
      if (failed.first || failed.exited) continue;
      try {
        work.join(c->piece.work);
      } catch (...) {
        failed.first = caught_exception();
      }
    }
  }

  I next_, last_;
  bool inside_ = false;  // in an iteration, in which a fork may share the rest
  range_call& call_;
  child* children_ = nullptr;

 public:
  Work work;
};

template <class I, class Body>
struct for_work {
  Body& body;

  void run(I from, I to) {
    for (I i = from; i != to; ++i) body(i);
  }
  void join(for_work&) noexcept {}
  for_work for_child() const noexcept { return *this; }
};

template <class I, class T, class Map, class Join>
struct reduce_work {
  Map& map;
  Join& join_two;
  std::optional<T> so_far{};  // empty: no iteration has ended

  reduce_work(Map& m, Join& j) noexcept : map(m), join_two(j) {}
  reduce_work(const reduce_work& like) noexcept : map(like.map), join_two(like.join_two) {}

  void run(I from, I to) {
    I i = from;
    if (!so_far) so_far.emplace(map(i++));
    T sum = std::move(*so_far);
    for (; i != to; ++i) sum = join_two(std::move(sum), T(map(i)));
    so_far.emplace(std::move(sum));
  }
  void join(reduce_work& later) {
    if (!so_far || !later.so_far) return;  // an iteration has thrown, so there is no result
    T sum = join_two(std::move(*so_far), std::move(*later.so_far));
    so_far.emplace(std::move(sum));
  }
  reduce_work for_child() const noexcept { return *this; }
};

template <class I, class Body>
void run_for(m_face* m, I first, I last, Body& body, std::ptrdiff_t grain, const void* site) {
  range_call call{static_cast<std::uint64_t>(grain), site};
  range_piece<I, for_work<I, Body>> all(first, last, for_work<I, Body>{body}, call);
  branch_failures failed;
  all.run(m, failed);
  failed.rethrow();
}

template <class T, class I, class Map, class Join>
T run_reduce(m_face* m, I first, I last, T init, Map& map, Join& join, std::ptrdiff_t grain, const void* site) {
  using work = reduce_work<I, T, Map, Join>;
  range_call call{static_cast<std::uint64_t>(grain), site};
  range_piece<I, work> all(first, last, work(map, join), call);
  all.work.so_far.emplace(std::move(init));
  branch_failures failed;
  all.run(m, failed);
  failed.rethrow();
  return std::move(*all.work.so_far);
}

}  // namespace weft::detail
