// Note [wake-up] as a model: every interleaving of pushers and searchers, with store buffers.
//
// A real run meets the one bad interleaving once in a billion pushes, so a stress test of the
// scheduler says little about its fences. Here the protocol is a state machine small enough to
// visit whole. Every M has a FIFO of stores that the others do not see yet; a store leaves it
// at any later moment, and a fence waits until it is empty. A relaxed read-modify-write whose
// result no one looks at (T1) may be delayed like a store: C++ allows it and ARM does it.
//
//      pusher                               searcher, giving up
//   S1 put g in a queue                  T0 put the P into the idle set
//   S2 fence                             T1 spinning -= 1
//   S3 a P idle, spinning 0? wake one    T2 fence
//                                        T3 scan every queue once more; found? spin again
//
// An M that has found nothing but may not spin, because enough others do, gives its P back without
// having spun: it begins at T0, skips T1, and must look once more like the rest. The others may all
// find work while no P is idle yet, and then none would.
//
// A pusher never scans its own queue again (its fiber runs without end), so what it pushed is
// run by an M that searches, or never. Stranded: the dust has settled, a queue holds
// work, a P is idle, and no one searches.
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/catch.h"

namespace {

struct protocol {
  bool fence_in_push = true;       // S2
  bool fence_in_give_up = true;    // T2
  bool look_again = true;          // T3
  bool stop_before_look = true;    // T1 before T3, not after
  bool dry_looks_again = true;     // T2 and T3 also for an M that may not spin
  bool last_finder_wakes = true;   // a spinning M that finds work and was the last one wakes another
};

struct shape {
  int pushers, pushes_each;  // each pusher is an M with a P of its own
  int searching;             // Ms that spin with a P at the start
  int dry;                   // Ms with a P that have found nothing and do not spin
  int asleep;                // Ms without a P, parked or not yet made
  int idle;                  // Ps without an M
};

constexpr int max_ms = 6, max_queues = 2;
enum var : std::uint8_t { queue0, queue1, spinning, idle, vars };

enum class at : std::uint8_t {
  push,
  push_fence,
  push_read_idle,
  push_read_spinning,
  wake_claim,
  wake_take_p,  // S1-S3
  search,
  take,
  stop_spinning,
  dry,                                               // looking for work
  give_p,
  decrement,
  fence,
  look_again,
  decrement_late,
  spin_again,               // T0-T3
  asleep,
  running,
};

struct store {
  var v;
  std::int8_t delta;
  auto operator<=>(const store&) const = default;
};

struct machine {
  at pc = at::asleep;
  std::int8_t left = 0;    // pushes still to do
  std::int8_t scan = 0;    // the queue to scan next
  bool spins = true;
  at after_wake = at::running;
  std::vector<store> buffer;
  auto operator<=>(const machine&) const = default;
};

struct state {
  std::array<std::int8_t, vars> mem{};
  std::array<machine, max_ms> ms;
  auto operator<=>(const state&) const = default;
};

class explorer {
 public:
  explorer(protocol p, shape s)
      : protocol_(p), pushers_(s.pushers), count_(s.pushers + s.searching + s.dry + s.asleep) {
    state start;
    int m = 0;
    for (int i = 0; i < s.pushers; ++i, ++m) {
      start.ms[std::size_t(m)].pc = at::push;
      start.ms[std::size_t(m)].left = std::int8_t(s.pushes_each);
    }
    for (int i = 0; i < s.searching; ++i) start.ms[std::size_t(m++)].pc = at::search;
    for (int i = 0; i < s.dry; ++i) start.ms[std::size_t(m++)].pc = at::dry;
    start.mem[spinning] = std::int8_t(s.searching);
    start.mem[idle] = std::int8_t(s.idle);
    visit(start);
    while (!todo_.empty()) {
      state next = std::move(todo_.back());
      todo_.pop_back();
      expand(next);
    }
  }

  std::size_t states() const { return seen_.size(); }
  std::size_t ends() const { return ends_; }
  std::size_t stranded() const { return stranded_; }
  std::size_t miscounted() const { return miscounted_; }
  std::size_t out_of_ms() const { return out_of_ms_; }  // the shape was too small to say anything

 private:
  void visit(state s) {
    auto [where, fresh] = seen_.insert(std::move(s));
    if (fresh) todo_.push_back(*where);
  }

  void expand(const state& s) {
    bool stuck = true;
    for (int i = 0; i < count_; ++i) {
      if (!s.ms[std::size_t(i)].buffer.empty()) {
        state t = s;
        machine& m = t.ms[std::size_t(i)];
        t.mem[m.buffer.front().v] = std::int8_t(t.mem[m.buffer.front().v] + m.buffer.front().delta);
        m.buffer.erase(m.buffer.begin());
        visit(std::move(t));
        stuck = false;
      }
      state t = s;
      if (step(t, i)) {
        visit(std::move(t));
        stuck = false;
      }
    }
    if (stuck) judge(s);
  }

  void judge(const state& s) {
    ++ends_;
    bool work = s.mem[queue0] > 0 || s.mem[queue1] > 0;
    if (work && s.mem[idle] > 0) ++stranded_;
    if (s.mem[spinning] != 0) ++miscounted_;
  }

  static int read(const state& s, int i, var v) {
    int value = s.mem[v];
    for (const store& e : s.ms[std::size_t(i)].buffer)
      if (e.v == v) value += e.delta;
    return value;
  }
  static void write(machine& m, var v, int delta) { m.buffer.push_back({v, std::int8_t(delta)}); }

  static void pushed(machine& m) { m.pc = --m.left > 0 ? at::push : at::running; }
  static void woke(machine& m) {
    if (m.after_wake == at::push) pushed(m);
    else m.pc = m.after_wake;
  }

  // One step of M `i`; false if it has none. A step that reads a value it then replaces, and a
  // fence, wait for the store buffer to drain.
  bool step(state& s, int i) {
    machine& m = s.ms[std::size_t(i)];
    auto drained = [&] { return m.buffer.empty(); };
    switch (m.pc) {
      case at::asleep:
      case at::running: return false;

      case at::push:
        write(m, var(queue0 + i % max_queues), +1);
        m.after_wake = at::push;
        m.pc = protocol_.fence_in_push ? at::push_fence : at::push_read_idle;
        return true;
      case at::push_fence:
        if (!drained()) return false;
        m.pc = at::push_read_idle;
        return true;
      case at::push_read_idle:
        if (read(s, i, idle) > 0) m.pc = at::push_read_spinning;
        else woke(m);
        return true;
      case at::push_read_spinning:
        if (read(s, i, spinning) == 0) m.pc = at::wake_claim;
        else woke(m);
        return true;
      case at::wake_claim:  // spinning 0 -> 1, one winner
        if (!drained()) return false;
        if (s.mem[spinning] == 0) {
          s.mem[spinning] = 1;
          m.pc = at::wake_take_p;
        } else {
          woke(m);
        }
        return true;
      case at::wake_take_p: {
        if (!drained()) return false;
        int sleeper = 0;
        while (sleeper < count_ && s.ms[std::size_t(sleeper)].pc != at::asleep) ++sleeper;
        if (s.mem[idle] > 0 && sleeper == count_) ++out_of_ms_;
        if (s.mem[idle] > 0 && sleeper < count_) {
          --s.mem[idle];
          s.ms[std::size_t(sleeper)].pc = at::search;
          s.ms[std::size_t(sleeper)].scan = 0;
          s.ms[std::size_t(sleeper)].spins = true;
        } else {
          --s.mem[spinning];
        }
        woke(m);
        return true;
      }

      case at::search:
        if (read(s, i, var(queue0 + m.scan)) > 0) m.pc = at::take;
        else next_queue(m, at::search, at::give_p);
        return true;
      case at::take:
        if (!drained()) return false;
        if (s.mem[std::size_t(queue0 + m.scan)] > 0) {
          --s.mem[std::size_t(queue0 + m.scan)];
          m.pc = at::stop_spinning;
        } else {
          next_queue(m, at::search, at::give_p);
        }
        return true;
      case at::stop_spinning:
        if (!drained()) return false;
        m.after_wake = at::running;
        m.pc = --s.mem[spinning] == 0 && protocol_.last_finder_wakes ? at::push_read_idle : at::running;
        return true;

      case at::dry:
        m.spins = read(s, i, spinning) == 0;
        if (!m.spins) {
          m.pc = at::give_p;
        } else if (drained()) {
          ++s.mem[spinning];
          m.pc = at::search;
        } else {
          return false;
        }
        return true;

      case at::give_p:
        write(m, idle, +1);
        if (m.spins) m.pc = protocol_.stop_before_look ? at::decrement : at::look_again;
        else m.pc = protocol_.dry_looks_again ? at::fence : at::asleep;
        m.scan = 0;
        return true;
      case at::decrement:
        write(m, spinning, -1);
        m.pc = protocol_.fence_in_give_up ? at::fence : at::look_again;
        return true;
      case at::fence:
        if (!drained()) return false;
        m.pc = at::look_again;
        return true;
      case at::look_again:
        if (protocol_.look_again && read(s, i, var(queue0 + m.scan)) > 0) m.pc = at::spin_again;
        else next_queue(m, at::look_again, protocol_.stop_before_look ? at::asleep : at::decrement_late);
        return true;
      case at::decrement_late:
        write(m, spinning, -1);
        m.pc = at::asleep;
        return true;
      case at::spin_again:
        if (!drained()) return false;
        if (s.mem[idle] > 0) {
          --s.mem[idle];
          if (protocol_.stop_before_look) ++s.mem[spinning];
          m.spins = true;
          m.scan = 0;
          m.pc = at::search;
        } else {
          m.pc = protocol_.stop_before_look ? at::asleep : at::decrement_late;
        }
        return true;
    }
    return false;
  }

  void next_queue(machine& m, at more, at done) {
    ++m.scan;
    if (m.scan < std::int8_t(pushers_)) {
      m.pc = more;
    } else {
      m.scan = 0;
      m.pc = done;
    }
  }

  protocol protocol_;
  int pushers_, count_;
  std::set<state> seen_;
  std::vector<state> todo_;
  std::size_t ends_ = 0, stranded_ = 0, miscounted_ = 0, out_of_ms_ = 0;
};

constexpr shape one_against_one{.pushers = 1, .pushes_each = 1, .searching = 1, .dry = 0, .asleep = 2, .idle = 0};
constexpr shape burst{.pushers = 1, .pushes_each = 3, .searching = 1, .dry = 0, .asleep = 4, .idle = 1};
constexpr shape two_pushers{.pushers = 2, .pushes_each = 1, .searching = 1, .dry = 0, .asleep = 3, .idle = 1};
constexpr shape two_searchers{.pushers = 1, .pushes_each = 2, .searching = 2, .dry = 0, .asleep = 3, .idle = 0};
constexpr shape nobody_looks{.pushers = 2, .pushes_each = 1, .searching = 0, .dry = 0, .asleep = 4, .idle = 2};
constexpr shape enough_spin{.pushers = 1, .pushes_each = 3, .searching = 1, .dry = 1, .asleep = 3, .idle = 0};

std::size_t stranded(protocol p, shape s) { return explorer(p, s).stranded(); }

}  // namespace

TEST_CASE("no interleaving of pushers and searchers strands a push", "[sched][wake-up][GO-43]") {
  auto s = GENERATE(one_against_one, burst, two_pushers, two_searchers, nobody_looks, enough_spin);
  explorer all({}, s);
  CAPTURE(s.pushers, s.pushes_each, s.searching, s.dry, s.asleep, s.idle, all.states());
  CHECK(all.ends() > 0);
  CHECK(all.out_of_ms() == 0);
  CHECK(all.stranded() == 0);
  CHECK(all.miscounted() == 0);
}

TEST_CASE("canary: without the pusher's fence a push is stranded", "[sched][wake-up][canary]") {
  CHECK(stranded({.fence_in_push = false}, one_against_one) > 0);
}

TEST_CASE("canary: without the searcher's fence a push is stranded", "[sched][wake-up][canary]") {
  CHECK(stranded({.fence_in_give_up = false}, one_against_one) > 0);
}

TEST_CASE("canary: without the second look a push is stranded", "[sched][wake-up][canary]") {
  CHECK(stranded({.look_again = false}, one_against_one) > 0);
}

TEST_CASE("canary: a searcher that looks again before it stops spinning strands a push", "[sched][wake-up][canary]") {
  CHECK(stranded({.stop_before_look = false}, one_against_one) > 0);
}

TEST_CASE("canary: unless an M that may not spin looks again, too, a push is stranded", "[sched][wake-up][canary]") {
  CHECK(stranded({.dry_looks_again = false}, enough_spin) > 0);
}

TEST_CASE("canary: unless the last finder wakes another, the second of two pushes is stranded",
          "[sched][wake-up][canary]") {
  CHECK(stranded({.last_finder_wakes = false}, burst) > 0);
}
