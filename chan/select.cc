// Select: one of several channel operations, decided once.
//
//   1  In random order, each case that looks ready is tried under its own channel's lock. The first
//      that succeeds is the choice; that is one operation on one channel at one instant.
//   2  None was: all channels are locked, in the order of their addresses, and tried again, for
//      "none is ready" must be true of one instant too. With `otherwise`, that ends it.
//   3  A waiter is queued on every channel, all naming one claim word, and the caller parks; the
//      locks are released once it is off its stack. The waker that claims the word has chosen.
//   4  Back: the waiters on the other channels are taken out, and the chosen case finishes.
#include <weft/select.h>

#include <algorithm>
#include <array>
#include <vector>

namespace weft::detail {
namespace {

// Room for n objects: on the stack for a small n, which is the common case, else on the heap.
template <class T>
class few {
 public:
  explicit few(std::size_t n) : n_(n) {
    if (n > here_.size()) elsewhere_.resize(n);
  }
  T* data() noexcept { return n_ > here_.size() ? elsewhere_.data() : here_.data(); }
  T& operator[](std::size_t i) noexcept { return data()[i]; }

 private:
  std::size_t n_;
  std::array<T, 8> here_;
  std::vector<T> elsewhere_;
};

// 0 to n-1 shuffled.
void shuffle(std::uint32_t* order, std::size_t n) {
  std::uint64_t random = cheap_random();
  for (std::uint32_t i = 0; i < n; ++i) {
    // 16 fresh bits a place are enough for any select that is written by hand.
    if (i % 4 == 3) random = cheap_random();
    const std::uint32_t at = static_cast<std::uint32_t>(((random & 0xffff) * (i + 1)) >> 16);
    random >>= 16;
    order[i] = order[at];
    order[at] = i;
  }
}

// The locks of all channels, sorted, each once.
std::size_t collect_locks(std::span<case_base* const> cases, spin_lock** locks) {
  std::size_t n = 0;
  for (case_base* c : cases)
    if (channel_base* b = c->base()) locks[n++] = &b->lock();
  std::sort(locks, locks + n);
  return static_cast<std::size_t>(std::unique(locks, locks + n) - locks);
}

// Copies of a select_case name one case, whose waiter can stand in one place of one queue. Those of
// this select that are queued already are taken out again.
[[noreturn, gnu::cold]] void panic_same_case_twice(std::span<case_base* const> cases, const claim_word& word) {
  for (case_base* c : cases)
    if (c->base() && c->w.queued && c->w.word == &word) c->queue().remove(&c->w);
  throw panic("select: the same select_case twice");
}

void leave_queues(std::span<case_base* const> cases) noexcept {
  for (case_base* c : cases)
    if (c->base() && c->w.queued) c->queue().remove(&c->w);
}

std::size_t finished(case_base& c, std::size_t i) {
  c.finish();
  return i;
}

}  // namespace

std::size_t select_one(std::span<case_base* const> cases, when_none none) {
  const std::size_t n = cases.size();
  if (n == 1 && none == when_none::give_up && (!cases[0]->base() || !cases[0]->looks_ready())) return none_ready;
  few<std::uint32_t> order(n);
  shuffle(order.data(), n);

  for (std::size_t k = 0; k < n; ++k) {
    case_base& c = *cases[order[k]];
    if (!c.base() || !c.looks_ready()) continue;
    section hold(c.base()->lock());
    waiter* partner = nullptr;
    if (c.try_locked(partner) == attempt::not_ready) continue;
    hold.leave();
    if (partner) ready(partner->g);
    return finished(c, order[k]);
  }

  few<spin_lock*> locks(n);
  const std::size_t n_locks = collect_locks(cases, locks.data());
  if (n_locks == 0 && none == when_none::give_up) return none_ready;
  if (n_locks == 0) park_forever(n == 0 ? wait_reason::select_no_cases : wait_reason::select);

  sections hold(std::span<spin_lock* const>(locks.data(), n_locks));
  for (std::size_t k = 0; k < n; ++k) {
    case_base& c = *cases[order[k]];
    if (!c.base()) continue;
    waiter* partner = nullptr;
    if (c.try_locked(partner) == attempt::not_ready) continue;
    hold.leave();
    if (partner) ready(partner->g);
    return finished(c, order[k]);
  }
  if (none == when_none::give_up) return none_ready;

  claim_word word;
  G* me = self();
  for (std::size_t i = 0; i < n; ++i) {
    case_base& c = *cases[i];
    if (!c.base()) continue;
    if (c.w.queued) [[unlikely]]
      panic_same_case_twice(cases, word);
    c.w.g = me;
    c.w.slot = c.slot();
    c.w.word = &word;
    c.w.index = static_cast<std::uint32_t>(i) + 1;
    c.w.ok = false;
    c.queue().push(&c.w);
  }
  try {
    park(
        wait_reason::select, [](G*, void* held) { static_cast<sections*>(held)->leave(); }, &hold);
  } catch (...) {  // the end of a simulation
    leave_queues(cases);
    leave_ended_wait();
  }

  const std::size_t chosen = word.decided() - 1;
  for (std::size_t i = 0; i < n; ++i) {
    case_base& c = *cases[i];
    if (i == chosen || !c.base()) continue;
    section again(c.base()->lock());
    if (c.w.queued) c.queue().remove(&c.w);
  }
  case_base& c = *cases[chosen];
  if (c.is_send() && !c.w.ok) c.base()->panic_of_send();
  return finished(c, chosen);
}

}  // namespace weft::detail

namespace weft {
namespace {

std::size_t select_dynamic(std::span<const select_case> cases, detail::when_none none) {
  std::vector<detail::case_base*> all;
  all.reserve(cases.size());
  for (const select_case& c : cases) all.push_back(c.get());
  return detail::select_one(all, none);
}

}  // namespace

std::size_t select(std::span<const select_case> cases) { return select_dynamic(cases, detail::when_none::block); }

std::optional<std::size_t> try_select(std::span<const select_case> cases) {
  const std::size_t i = select_dynamic(cases, detail::when_none::give_up);
  return i == detail::none_ready ? std::nullopt : std::optional(i);
}

void select() { detail::park_forever(detail::wait_reason::select_no_cases); }

}  // namespace weft
