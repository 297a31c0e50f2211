// Jumping from stack to stack without a scheduler: what a stack takes along.
#include "runtime/switch.h"

#include <cfenv>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtime/stack.h"
#include "tests/support/catch.h"

using namespace weft::detail;

namespace {

// A body on a stack of its own that is resumed from outside until it has ended. Neither resume nor
// suspend is inlined: the compiler takes the address of a thread's exception state for a constant.
class strand {
 public:
  explicit strand(std::function<void(strand&)> body) : body_(std::move(body)), stack_(arena_for(256 << 10).take()) {
    const std::size_t usable = stack_.size();
    unpoison(stack_.bottom, usable);  // the frames that an earlier strand has left behind
    inside_.sanitizer.open(stack_.bottom, usable);
    prepare<entry>(inside_.at, stack_.top(), usable);
  }
  ~strand() {
    inside_.sanitizer.close();
    stack_.arena->rest(&stack_, 1);
  }
  strand(const strand&) = delete;
  strand& operator=(const strand&) = delete;

  // Runs the body until it suspends or ends.
  [[gnu::noinline]] void resume() {
    outside_.sanitizer.adopt_thread();
    message m{{}, this};
    jump(outside_, inside_, exceptions_of_this_thread(), &m);
  }
  [[gnu::noinline]] void suspend() {
    message m{{}, this};
    jump(inside_, outside_, exceptions_of_this_thread(), &m);
  }
  bool ended() const { return ended_; }

 private:
  struct message : switch_header {
    strand* self;
  };
  static void entry(switch_header* note) {
    entered_new_stack();
    strand* self = static_cast<message*>(note)->self;
    self->body_(*self);
    self->leave();
  }
  [[gnu::noinline]] void leave() {
    ended_ = true;
    message m{{}, this};
    jump(inside_, outside_, exceptions_of_this_thread(), &m, true);
  }

  std::function<void(strand&)> body_;
  stack stack_;
  stack_context outside_, inside_;
  bool ended_ = false;
};

std::string text_of_current() {
  const std::exception_ptr current = std::current_exception();
  if (!current) return "none";
  try {
    std::rethrow_exception(current);
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("a jump goes on where the stack was left", "[runtime][switch]") {
  std::string order;
  strand s([&](strand& self) {
    order += "b";
    self.suspend();
    order += "d";
  });
  order += "a";
  s.resume();
  order += "c";
  CHECK_FALSE(s.ended());
  s.resume();
  CHECK(s.ended());
  CHECK(order == "abcd");
}

TEST_CASE("values and the rounding mode stay with their stack", "[runtime][switch]") {
  double third = 0, kept = 0;
  int inside = 0;
  strand s([&](strand& self) {
    std::fesetround(FE_UPWARD);
    volatile double one = 1, three = 3;
    const double before = one / three;
    int many[16];
    for (int i = 0; i < 16; ++i) many[i] = static_cast<int>(one) + i;
    self.suspend();
    inside = std::fegetround();
    third = one / three;
    kept = before;
    for (int i = 0; i < 16; ++i) kept += many[i] - 1 - i;
  });
  const int mine = std::fegetround();
  s.resume();
  CHECK(std::fegetround() == mine);
  std::fesetround(FE_DOWNWARD);
  volatile double one = 1, three = 3;
  const double down = one / three;
  s.resume();
  CHECK(std::fegetround() == FE_DOWNWARD);
  std::fesetround(mine);
  CHECK(inside == FE_UPWARD);
  CHECK(third == kept);
  CHECK(third > down);
}

namespace {

// Counts the frames above its own by their frame pointers, on a stack of its own.
struct frame_walker {
  static inline stack_context outside, inside;
  static inline int frames = 0;
  static void walk(switch_header*) {
    entered_new_stack();
    const auto* at = static_cast<const std::uintptr_t*>(__builtin_frame_address(0));
    for (frames = 0; at && frames < 100; ++frames) at = reinterpret_cast<const std::uintptr_t*>(*at);
    switch_header note{};
    jump(inside, outside, exceptions_of_this_thread(), &note, true);
  }
};

}  // namespace

TEST_CASE("frame pointers end at the first frame, on a stack that was used before, too", "[runtime][switch]") {
  const stack s = arena_for(64 << 10).take();
  unpoison(s.bottom, s.size());
  std::memset(s.bottom, 0x5a, s.size());
  frame_walker::outside.sanitizer.adopt_thread();
  frame_walker::inside.sanitizer.open(s.bottom, s.size());
  prepare<frame_walker::walk>(frame_walker::inside.at, s.top(), s.size());
  switch_header note{};
  jump(frame_walker::outside, frame_walker::inside, exceptions_of_this_thread(), &note);
  CHECK(frame_walker::frames > 0);
  CHECK(frame_walker::frames < 5);
  frame_walker::inside.sanitizer.close();
  s.arena->rest(&s, 1);
}

TEST_CASE("an exception being handled stays with its stack", "[runtime][switch][GO-45]") {
  std::string inside;
  strand s([&](strand& self) {
    try {
      throw std::runtime_error("the strand's");
    } catch (...) {
      self.suspend();
      inside = text_of_current();
    }
    inside += ", " + text_of_current();
  });
  s.resume();
  CHECK(text_of_current() == "none");
  try {
    throw std::runtime_error("outside");
  } catch (...) {
    s.resume();
    CHECK(text_of_current() == "outside");
  }
  CHECK(s.ended());
  CHECK(inside == "the strand's, none");
}

TEST_CASE("a new stack begins without the exception of whoever starts it", "[runtime][switch][GO-45]") {
  std::string inside;
  int uncaught = -1;
  strand s([&](strand&) {
    inside = text_of_current();
    uncaught = std::uncaught_exceptions();
  });
  struct resumes {
    strand& s;
    ~resumes() { s.resume(); }
  };
  try {
    resumes in_flight{s};
    throw std::runtime_error("in flight");
  } catch (const std::exception&) {
  }
  CHECK(inside == "none");
  CHECK(uncaught == 0);
}

TEST_CASE("an exception in flight stays with its stack", "[runtime][switch][GO-45]") {
  int inside = -1, after = -1;
  strand s([&](strand& self) {
    struct suspends {
      strand& self;
      int& uncaught;
      ~suspends() {
        self.suspend();
        uncaught = std::uncaught_exceptions();
      }
    };
    try {
      suspends on_the_way{self, inside};
      throw 1;
    } catch (int) {
    }
    after = std::uncaught_exceptions();
  });
  s.resume();
  CHECK(std::uncaught_exceptions() == 0);
  s.resume();
  CHECK(inside == 1);
  CHECK(after == 0);
}

TEST_CASE("a stack takes its exceptions along to another thread", "[runtime][switch][GO-45]") {
  std::string inside;
  strand s([&](strand& self) {
    try {
      throw std::runtime_error("the traveller's");
    } catch (...) {
      for (int i = 0; i < 3; ++i) {
        self.suspend();
        inside += text_of_current() + ";";
      }
    }
  });
  s.resume();
  std::string on_thread;
  for (int i = 0; i < 3; ++i)
    std::thread([&] {
      try {
        throw std::runtime_error("the thread's");
      } catch (...) {
        s.resume();
        on_thread += text_of_current() + ";";
      }
    }).join();
  CHECK(s.ended());
  CHECK(inside == "the traveller's;the traveller's;the traveller's;");
  CHECK(on_thread == "the thread's;the thread's;the thread's;");
  CHECK(text_of_current() == "none");
}

TEST_CASE("two stacks whose handlers overlap end in either order", "[runtime][switch][GO-45]") {
  std::string seen;
  const auto body = [&seen](const char* name) {
    return [&seen, name](strand& self) {
      try {
        throw std::runtime_error(name);
      } catch (...) {
        self.suspend();
        seen += text_of_current();
      }
    };
  };
  const bool first_first = GENERATE(true, false);
  strand a(body("a")), b(body("b"));
  a.resume();
  b.resume();
  (first_first ? a : b).resume();
  (first_first ? b : a).resume();
  CHECK(seen == (first_first ? "ab" : "ba"));
}
