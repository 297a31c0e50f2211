// S10: a map that is read without a lock and copied for each insert.
#include <map>
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

class cow_map {
 public:
  using map = std::map<std::string, int>;

  int read(const std::string& key) const {
    const auto now = map_.load();
    const auto at = now->find(key);
    return at == now->end() ? 0 : at->second;
  }
  void insert(const std::string& key, int value) {
    const std::lock_guard hold(writers_);  // of two writers that copy the same version one would be lost
    map next = map_.load();                // copies everything
    next[key] = value;
    map_.store(std::move(next));
  }
  snapshot<map> all() const { return map_.load(); }

 private:
  atomic_value<map> map_{map()};
  mutex writers_;
};

void right() {
  constexpr int writers = 4, inserts = 25;
  cow_map m;
  m.insert("first", 1);
  const auto before = m.all();
  std::atomic<bool> done{false};
  wait_group reading, writing;
  std::atomic<long> misses{0};
  reading.go([&] {
    for (; !done.load(); yield()) misses += m.read("first") != 1;
  });
  for (int w = 0; w < writers; ++w)
    writing.go([&, w] {
      for (int i = 0; i < inserts; ++i) {
        m.insert(fmt::format("{}-{}", w, i), i);
        yield();
      }
    });
  writing.wait();
  done.store(true);
  reading.wait();
  println("{} keys now, {} in the snapshot from before, {} failed reads", m.all()->size(), before->size(),
          misses.load());
}

const lesson::page page{"S10", "copy_on_write", {{"right", "readers keep what they have, writers copy", right}}};

}  // namespace
