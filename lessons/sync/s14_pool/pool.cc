// S14: objects that are used again.
#include <map>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

struct request {
  std::string user;
  bool is_admin = false;
};

std::unique_ptr<request> named(std::string user) { return std::make_unique<request>(request{std::move(user)}); }

void api() {
  pool<request> requests([] { return request{"new"}; });
  println("empty: {}", requests.get()->user);
  requests.put(named("a"));
  requests.put(named("b"));
  for (int i = 0; i < 3; ++i) println("get: {}", requests.get()->user);
}

void wrong() {
  pool<request> requests([] { return request{}; });
  auto first = requests.get();
  *first = {"root", true};
  requests.put(std::move(first));  // as it is
  auto second = requests.get();
  second->user = "guest";
  println("{} is {}", second->user, second->is_admin ? "an administrator" : "a guest");
}

void right() {
  pool<request> requests([] { return request{}; });
  auto first = requests.get();
  *first = {"root", true};
  *first = {};  // before it goes back
  requests.put(std::move(first));
  auto second = requests.get();
  second->user = "guest";
  println("{} is {}", second->user, second->is_admin ? "an administrator" : "a guest");
}

// Objects that are not used for two periods are destroyed. A pool is for objects that can be made
// again, not for connections.
void periods() {
  pool<request> requests;
  requests.put(named("c"));
  requests.trim();
  auto still_there = requests.get();
  println("after one period: {}", still_there ? still_there->user : "gone");
  requests.put(std::move(still_there));
  requests.trim();
  requests.trim();
  println("after two periods: {}", requests.get() ? "still there" : "gone");
}

// Whatever is put in on one P is found on another, once.
void shared() {
  constexpr int items = 1000, consumers = 9;
  pool<int> numbers;
  std::vector<std::atomic<int>> seen(items);
  std::atomic<int> found = 0;
  wait_group all;
  all.go([&] {
    for (int i = 0; i < items; ++i) {
      numbers.put(std::make_unique<int>(i));
      if (i % 10 == 0) yield();
    }
  });
  for (int c = 0; c < consumers; ++c)
    all.go([&] {
      while (found.load() < items) {
        if (const auto n = numbers.get()) {
          ++seen[static_cast<std::size_t>(*n)];
          ++found;
        } else {
          yield();
        }
      }
    });
  all.wait();
  println("{} of {} items found once", std::count(seen.begin(), seen.end(), 1), items);
}

const lesson::page page{"S14",
                        "pool",
                        {{"api", "what was put in comes out, else a new one", api},
                         {"wrong", "put back as it is", wrong},
                         {"right", "reset before it is put back", right},
                         {"periods", "what lies unused for two periods goes", periods},
                         {"shared", "one fiber puts, nine take", shared}}};

}  // namespace
