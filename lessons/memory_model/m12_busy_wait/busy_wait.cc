// M12: waiting for a flag in a loop.
#include <ctime>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// CPU time of the process, in milliseconds.
long cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
}

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
  const long before = cpu_ms();
  const bool seen = spin_until([] { return static_cast<bool>(done); });
  println("{}: '{}' with {} ms of CPU time", seen ? "seen" : "gave up", static_cast<const char*>(a), cpu_ms() - before);
}

// A pointer as the flag: a pointer that is not null does not order the writes to its object.
void wrong_pointer() {
  static greeting made;
  static lesson::racy<greeting*> hello = nullptr;
  go([] {
    made.text = "hello, world";
    hello = &made;
  });
  const long before = cpu_ms();
  const bool seen = spin_until([] { return hello != nullptr; });
  println("{}: '{}' through the pointer with {} ms of CPU time", seen ? "seen" : "gave up",
          seen ? static_cast<const char*>(static_cast<greeting*>(hello)->text) : "", cpu_ms() - before);
}

void right() {
  std::string a;
  auto done = make_chan<void>();
  go([&, done] {
    a = "hello, world";
    done.close();
  });
  const long before = cpu_ms();
  done.recv();
  println("received: '{}' with {} ms of CPU time", a, cpu_ms() - before);
}

const lesson::page page{"M12",
                        "busy_wait",
                        {{"wrong", "a loop around a flag", wrong},
                         {"wrong-pointer", "a loop around a pointer", wrong_pointer},
                         {"right", "a wait that says what it waits for", right}}};

}  // namespace
