// S5: an interface is two words, and a reader may get one of each.
#include <mutex>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// Both makers look the same in memory.
struct ben {
  const char* name;
};
struct jerry {
  const char* name;
};

// Go's interface value: which type, and where its data is. A method call looks at both.
enum class type { ben, jerry };
struct ice_cream_maker {
  type its_type;
  const void* data;
};

// Who speaks, and the name that is said.
struct said {
  const char *who, *name;
  bool mixed() const { return std::string_view(who) != name; }
};
said hello(const ice_cream_maker& m) {
  if (m.its_type == type::ben) return {"Ben", static_cast<const ben*>(m.data)->name};
  return {"Jerry", static_cast<const jerry*>(m.data)->name};
}

constexpr ben the_ben{"Ben"};
constexpr jerry the_jerry{"Jerry"};
constexpr ice_cream_maker makers[2] = {{type::ben, &the_ben}, {type::jerry, &the_jerry}};

// One fiber changes the maker again and again, another one greets with the maker that it reads.
template <class Store, class Load>
void greet(Store store, Load load) {
  std::atomic<bool> done{false};
  wait_group changer;
  changer.add(1);
  go({.name = "changer"}, [&] {
    for (int i = 0; !done.load(std::memory_order_relaxed); ++i) {
      store(makers[i % 2]);
      if (i % 8 == 0) yield();
    }
    changer.done();
  });
  long greetings = 0, mixed = 0;
  said example{"Ben", "Ben"};
  for (const time_point end = now() + lesson::scaled(200ms); now() < end; ++greetings) {
    const said s = hello(load());
    if (s.mixed()) example = s;
    mixed += s.mixed();
    if (greetings % 8 == 0) yield();
  }
  done.store(true);
  changer.wait();
  println("{} of {} greetings mixed: {}", mixed, greetings > 0 ? "many" : "no",
          mixed ? fmt::format("{} says, \"Hello my name is {}\"", example.who, example.name) : "none");
}

void wrong() {
  static lesson::racy<type> its_type = type::ben;
  static lesson::racy<const void*> data = &the_ben;
  greet(
      [](const ice_cream_maker& m) {
        its_type = m.its_type;
        yield();  // on one P, lets the other fiber run between the stores
        data = m.data;
      },
      [] {
        return ice_cream_maker{its_type, data};
      });
}

void right() {
  std::atomic<const ice_cream_maker*> maker{&makers[0]};
  greet([&](const ice_cream_maker& m) { maker.store(&m); }, [&] { return *maker.load(); });
}

void with_mutex() {
  mutex lock;
  ice_cream_maker maker = makers[0];
  greet(
      [&](const ice_cream_maker& m) {
        const std::lock_guard hold(lock);
        maker.its_type = m.its_type;
        yield();
        maker.data = m.data;
      },
      [&] {
        const std::lock_guard hold(lock);
        return maker;
      });
}

const lesson::page page{"S5",
                        "ice_cream",
                        {{"wrong", "type and data are written one after the other", wrong},
                         {"right", "one pointer to both", right},
                         {"mutex", "both under a lock", with_mutex}}};

}  // namespace
