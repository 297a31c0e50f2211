// A connection in memory: the writer holds its bytes out until readers have taken them all.
//
// Each direction is a monitor: a lock, a state, and one queue for all who wait for that to change.
// Each change wakes them all, and each looks again; there is seldom more than one. A reader copies
// without the lock, for a copy may be long, and is marked as long: the writer, whose memory it
// reads, does not leave before that ends.
//
// Refused: a socketpair, which has a buffer, costs two descriptors and four system calls for a
// ping-pong; a mutex and a cond, whose wait ends by a context or a deadline but not by both.
#include <weft/detail/bounded_wait.h>
#include <weft/pipe.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "runtime/clock.h"

namespace weft::net {

using namespace weft::detail;

namespace {

enum class side : std::uint8_t { reader, writer };

// From one end to the other.
struct one_way {
  spin_lock lock;
  // Written under the lock, and looked at without: a wait is prepared before the lock is taken.
  std::atomic<std::int64_t> deadline[2]{never, never};
  // These under the lock.
  bool closed[2]{};
  bool writing = false;               // a fiber has the turn to write
  bool copying = false;               // a reader copies the beginning of `offer`
  std::span<const std::byte> offer;
  wait_queue waiting;

  std::int64_t deadline_of(side s) const noexcept { return deadline[index(s)].load(std::memory_order_relaxed); }
  bool& closed_at(side s) noexcept { return closed[index(s)]; }
  static std::size_t index(side s) noexcept { return static_cast<std::size_t>(s); }
};

void leave_and_wake_all(one_way& w, section& hold) {
  waiter* first = nullptr;
  for (waiter** end = &first; waiter* next = w.waiting.take(); end = &next->next) {
    next->next = nullptr;
    *end = next;
  }
  hold.leave();
  while (waiter* next = first) {
    first = next->next;  // before its owner runs and the record is gone
    ready(next->g);
  }
}

// With the lock.
std::error_code over_locked(one_way& w, side s) {
  if (w.closed_at(s)) return weft::errc::closed;
  const std::int64_t at = w.deadline_of(s);
  if (at != never && at <= now_ns()) return weft::errc::timeout;
  return {};
}

// Returns when `done`, called with the lock, is true. With `ends`, which is called with the lock
// too: or an error.
template <class Ends, class Done>
std::error_code wait_until(one_way& w, side s, const context* ctx, Ends ends, Done done) {
  for (;;) {
    const wait_bound bound{.ctx = ctx, .deadline_ns = w.deadline_of(s)};
    bounded_wait hold(&w.lock, bound);
    std::error_code e = ends();
    if (!e && hold.over_locked()) e = error_of(*ctx);
    if (e || done()) {
      hold.leave();
      return e;
    }
    if (w.deadline_of(s) != bound.deadline_ns) {
      hold.leave();
      continue;
    }
    waiter self;
    hold.park_in(w.waiting, self, wait_reason::cond_wait);
  }
}

// Takes a part of what is offered: the reader's turn and the copy.
result<std::size_t> read_from(one_way& w, const context* ctx, std::span<std::byte> buf) {
  bool end = false;
  std::span<const std::byte> part;
  const auto begin = [&] {
    end = w.closed_at(side::writer);
    if (end || buf.empty()) return true;
    if (w.copying || w.offer.empty()) return false;
    part = w.offer.first(std::min(w.offer.size(), buf.size()));
    return w.copying = true;
  };
  const auto ends = [&] { return over_locked(w, side::reader); };
  if (const std::error_code e = wait_until(w, side::reader, ctx, ends, begin)) return {0, e};
  if (buf.empty()) return {};
  if (end) return {0, weft::errc::eof};
  std::memcpy(buf.data(), part.data(), part.size());
  section hold(w.lock);
  w.copying = false;
  w.offer = w.offer.subspan(part.size());
  leave_and_wake_all(w, hold);
  return {part.size(), {}};
}

// The errors of a write: those of its own side, and that the other is gone.
std::error_code write_over_locked(one_way& w) {
  if (w.closed_at(side::reader)) return weft::errc::closed;
  return over_locked(w, side::writer);
}

result<std::size_t> write_to(one_way& w, const context* ctx, std::span<const std::byte> data) {
  const auto take_turn = [&] { return data.empty() || (!w.writing && (w.writing = true)); };
  if (const std::error_code e = wait_until(
          w, side::writer, ctx, [&] { return write_over_locked(w); }, take_turn))
    return {0, e};
  if (data.empty()) return {};
  {
    section hold(w.lock);
    w.offer = data;
    leave_and_wake_all(w, hold);
  }
  const auto taken = [&] { return w.offer.empty(); };
  const auto ends = [&] { return taken() ? std::error_code() : write_over_locked(w); };
  std::error_code e = wait_until(w, side::writer, ctx, ends, taken);
  // Without a bound: a copy never blocks.
  const auto left_alone = [&] { return !w.copying; };
  for (;;) {
    section hold(w.lock);
    if (left_alone()) {
      const std::size_t n = data.size() - w.offer.size();
      if (n == data.size()) e = {};
      w.offer = {};
      w.writing = false;
      leave_and_wake_all(w, hold);
      return {n, e};
    }
    waiter self;
    self.g = hold.self();
    w.waiting.push(&self);
    park(wait_reason::cond_wait, hold);
  }
}

void set_deadline_of(one_way& w, side s, time_point at) {
  section hold(w.lock);
  w.deadline[one_way::index(s)].store(at.time_since_epoch().count(), std::memory_order_relaxed);
  leave_and_wake_all(w, hold);
}

// False if it was closed.
bool close_side(one_way& w, side s) {
  section hold(w.lock);
  const bool first = !w.closed_at(s);
  w.closed_at(s) = true;
  leave_and_wake_all(w, hold);
  return first;
}

struct both_ways {
  one_way ways[2];
};

const endpoint nowhere;

}  // namespace

namespace detail {

struct pipe_end {
  const std::shared_ptr<both_ways> whole;
  one_way& in;
  one_way& out;

  pipe_end(std::shared_ptr<both_ways> w, int number)
      : whole(std::move(w)), in(whole->ways[number]), out(whole->ways[1 - number]) {}
  pipe_end(const pipe_end&) = delete;
  pipe_end& operator=(const pipe_end&) = delete;
  ~pipe_end() { close(); }

  bool close() {
    const bool first = close_side(in, side::reader);
    close_side(out, side::writer);
    return first;
  }
};

}  // namespace detail

result<std::size_t> pipe_conn::read(std::span<std::byte> buf) const {
  return end_ ? read_from(end_->in, nullptr, buf) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> pipe_conn::read(const context& ctx, std::span<std::byte> buf) const {
  return end_ ? read_from(end_->in, &ctx, buf) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> pipe_conn::write(std::span<const std::byte> data) const {
  return end_ ? write_to(end_->out, nullptr, data) : result<std::size_t>{0, weft::errc::closed};
}
result<std::size_t> pipe_conn::write(const context& ctx, std::span<const std::byte> data) const {
  return end_ ? write_to(end_->out, &ctx, data) : result<std::size_t>{0, weft::errc::closed};
}

std::error_code pipe_conn::close() const {
  return end_ && end_->close() ? std::error_code() : make_error_code(weft::errc::closed);
}

void pipe_conn::set_deadline(time_point at) const {
  set_read_deadline(at);
  set_write_deadline(at);
}
void pipe_conn::set_read_deadline(time_point at) const {
  if (end_) set_deadline_of(end_->in, side::reader, at);
}
void pipe_conn::set_write_deadline(time_point at) const {
  if (end_) set_deadline_of(end_->out, side::writer, at);
}

const endpoint& pipe_conn::local_addr() const noexcept { return nowhere; }

pipe_conn::operator bool() const noexcept {
  if (!end_) return false;
  section hold(end_->in.lock);
  return !end_->in.closed_at(side::reader);
}

pipe_ends pipe() {
  const auto whole = std::make_shared<both_ways>();
  return {pipe_conn(std::make_shared<detail::pipe_end>(whole, 0)),
          pipe_conn(std::make_shared<detail::pipe_end>(whole, 1))};
}

}  // namespace weft::net
