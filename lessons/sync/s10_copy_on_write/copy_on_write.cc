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
    const std::lock_guard hold(writers_);  // without it two writers copy the same version, and one insert is lost
    map next = map_.load();                // copies everything
    next[key] = value;
    map_.store(std::move(next));
  }
  snapshot<map> all() const { return map_.load(); }

 private:
  atomic_value<map> map_{map()};
  mutex writers_;
};

// The same operations on one map that is changed in place, under a lock that readers take too.
class changed_map {
 public:
  using map = std::map<std::string, int>;

  int read(const std::string& key) const {
    const std::lock_guard hold(lock_);
    const auto at = map_->find(key);
    return at == map_->end() ? 0 : at->second;
  }
  void insert(const std::string& key, int value) {
    const std::lock_guard hold(lock_);
    (*map_)[key] = value;
  }
  std::shared_ptr<const map> all() const { return map_; }

 private:
  mutable mutex lock_;
  std::shared_ptr<map> map_ = std::make_shared<map>();
};

template <class Map>
void insert_and_read() {
  constexpr int writers = 4, inserts = 25;
  Map m;
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

void wrong() { insert_and_read<changed_map>(); }
void right() { insert_and_read<cow_map>(); }

const lesson::page page{"S10",
                        "copy_on_write",
                        {{"wrong", "one map, changed in place: a snapshot changes too", wrong},
                         {"right", "readers keep their version, writers copy", right}}};

}  // namespace
