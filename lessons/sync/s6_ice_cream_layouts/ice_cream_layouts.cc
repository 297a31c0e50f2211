// S6: the ice-cream makers of S5, whose objects no longer have the same layout.
#include <cstdint>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

// An object is two words. A Go string is an address and a length.
using word = std::uintptr_t;
struct object {
  word words[2];
};
constexpr char bens[] = "Ben", jerrys[] = "Jerry";
word address(const char* text) { return reinterpret_cast<word>(text); }

// struct{id int; name *string} and struct{name *string}: the name is Ben's second word and Jerry's
// first.
const object ben_with_id{{10, address(bens)}}, jerrys_data{{address(jerrys), 5}};
// struct{name string} and struct{chars *[5]byte; n int}: both are an address and a length.
const object ben_as_string{{address(bens), 3}};

enum class type { ben, jerry };
struct ice_cream_maker {
  type its_type;
  const object* data;
};

// Returns the first letter of the name: follows the word of `data` at which this type has its name.
char first_letter(const ice_cream_maker& m, int bens_name) {
  const volatile char* at = reinterpret_cast<const char*>(m.data->words[m.its_type == type::ben ? bens_name : 0]);
  return *at;
}

// Greets for a while. Returns how many greetings had the name of the other maker.
template <class Store, class Load>
int greet(const ice_cream_maker (&makers)[2], int bens_name, Store store, Load load) {
  std::atomic<bool> done{false};
  wait_group changer;
  changer.go([&] {
    for (int i = 0; !done.load(std::memory_order_relaxed); ++i) {
      store(makers[i % 2]);
      yield();
    }
  });
  int mixed = 0;
  for (const time_point end = now() + lesson::scaled(200ms); now() < end; yield()) {
    const ice_cream_maker m = load();
    mixed += first_letter(m, bens_name) != (m.its_type == type::ben ? 'B' : 'J');
  }
  done.store(true);
  changer.wait();
  return mixed;
}

// The two words of an interface value are written one after the other.
int greet_by_two_words(const object& bens_data, int bens_name) {
  static lesson::racy<type> its_type = type::ben;
  static lesson::racy<const object*> data = nullptr;
  data = &bens_data;
  return greet(
      {{type::ben, &bens_data}, {type::jerry, &jerrys_data}}, bens_name,
      [](const ice_cream_maker& m) {
        its_type = m.its_type;
        yield();
        data = m.data;
      },
      [] {
        return ice_cream_maker{its_type, data};
      });
}

void wrong() {
  println("Jerry's method reads Ben's id, 10, as an address:");
  println("{} greetings had the wrong name", greet_by_two_words(ben_with_id, 1));
}

void wrong_lucky() { println("{} greetings had the wrong name", greet_by_two_words(ben_as_string, 0)); }

void right() {
  static const ice_cream_maker makers[2] = {{type::ben, &ben_with_id}, {type::jerry, &jerrys_data}};
  std::atomic<const ice_cream_maker*> maker{&makers[0]};
  const auto store = [&](const ice_cream_maker& m) { maker.store(m.its_type == type::ben ? &makers[0] : &makers[1]); };
  println("{} greetings had the wrong name", greet(makers, 1, store, [&] { return *maker.load(); }));
}

const lesson::page page{"S6",
                        "ice_cream_layouts",
                        {{"wrong", "different layouts: a number is used as an address", wrong},
                         {"wrong-lucky", "the same layout: wrong names, no crash", wrong_lucky},
                         {"right", "one pointer to both words", right}}};

}  // namespace
