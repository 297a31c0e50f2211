// S6: the ice-cream makers of S5, whose memory no longer looks the same.
#include <mutex>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// In Go these are struct{id int; name string} and struct{name string}: read as the other one, the id becomes a
// pointer. Here the words say what they are, so that the mistake is found and not followed.
enum class word { number, text, nothing };
struct object {
  word words[2];
};
constexpr object bens_data{{word::number, word::text}}, jerrys_data{{word::text, word::nothing}};

enum class type { ben, jerry };
struct ice_cream_maker {
  type its_type;
  const object* data;
};
constexpr ice_cream_maker makers[2] = {{type::ben, &bens_data}, {type::jerry, &jerrys_data}};

// The name is Ben's second word and Jerry's first.
bool can_say_its_name(const ice_cream_maker& m) { return m.data->words[m.its_type == type::ben ? 1 : 0] == word::text; }

template <class Store, class Load>
void greet(Store store, Load load) {
  std::atomic<bool> done{false};
  wait_group changer;
  changer.go([&] {
    for (int i = 0; !done.load(std::memory_order_relaxed); ++i) {
      store(makers[i % 2]);
      yield();
    }
  });
  bool alive = true;
  for (const time_point end = now() + lesson::scaled(200ms); alive && now() < end; yield())
    alive = can_say_its_name(load());
  done.store(true);
  changer.wait();
  println("{}", alive ? "every greeting had a name" : "invalid memory address or nil pointer dereference");
}

void wrong() {
  static lesson::racy<type> its_type = type::ben;
  static lesson::racy<const object*> data = &bens_data;
  greet(
      [](const ice_cream_maker& m) {
        its_type = m.its_type;
        yield();
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

const lesson::page page{
    "S6",
    "ice_cream_layouts",
    {{"wrong", "half of one and half of the other", wrong}, {"right", "one pointer to both", right}}};

}  // namespace
