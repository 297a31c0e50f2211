// R2: two fibers write different keys of one map.
#include <array>

#include "lessons/support/page.h"
#include "lessons/support/racy.h"

namespace {

using namespace weft;
using lesson::println;

// What a map does inside, in small: look where there is room, write there, say that there is less
// room.
class small_map {
 public:
  void store(int key, const char* value) {
    const int at = size_;
    yield();  // a real one computes a hash, or grows
    keys_[static_cast<std::size_t>(at)] = key;
    values_[static_cast<std::size_t>(at)] = value;
    size_ = at + 1;
  }
  int size() const { return size_; }

 private:
  lesson::racy<int> size_ = 0;
  std::array<lesson::racy<int>, 8> keys_{};
  std::array<lesson::racy<const char*>, 8> values_{};
};

void wrong() {
  static small_map m;
  auto c = make_chan<bool>();
  go([=] {
    m.store(1, "a");  // first conflicting access
    c.send(true);
  });
  m.store(2, "b");  // second conflicting access
  c.recv();
  println("{} of 2 entries", m.size());
}

void right() {
  sync_map<int, std::string> m;
  auto c = make_chan<bool>();
  go([&m, c] {
    m.store(1, "a");
    c.send(true);
  });
  m.store(2, "b");
  c.recv();
  println("{} {}", *m.load(1), *m.load(2));
}

const lesson::page page{
    "R2", "map_race", {{"wrong", "different keys, one map", wrong}, {"right", "a map for many fibers", right}}};

}  // namespace
