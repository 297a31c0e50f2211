// M12: waiting for a flag by looking at it.
#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct greeting {
  lesson::racy<const char*> text = "";
};

// The original has no limit: it may never end. This one gives up.
template <class Seen>
bool spin_until(Seen seen) {
  for (const time_point limit = now() + lesson::scaled(100ms); now() < limit;)
    if (seen()) return true;
  return false;
}

void wrong() {
  static lesson::racy<const char*> a = "";
  static lesson::racy<bool> done = false;
  go([] {
    a = "hello, world";
    done = true;
  });
  const bool seen = spin_until([] { return static_cast<bool>(done); });
  println("{}: '{}'", seen ? "seen" : "gave up", static_cast<const char*>(a));
}

// A pointer as the flag: that it is not null says nothing about what it points to.
void wrong_pointer() {
  static greeting made;
  static lesson::racy<greeting*> hello = nullptr;
  go([] {
    made.text = "hello, world";
    hello = &made;
  });
  const bool seen = spin_until([] { return hello != nullptr; });
  println("{}: '{}'", seen ? "seen" : "gave up",
          seen ? static_cast<const char*>(static_cast<greeting*>(hello)->text) : "");
}

void right() {
  std::string a;
  auto done = make_chan<void>();
  go([&, done] {
    a = "hello, world";
    done.close();
  });
  done.recv();
  println("seen: '{}'", a);
}

const lesson::page page{"M12",
                        "busy_wait",
                        {{"wrong", "a loop around a flag", wrong},
                         {"wrong-pointer", "a loop around a pointer", wrong_pointer},
                         {"right", "a wait that says what it waits for", right}}};

}  // namespace
