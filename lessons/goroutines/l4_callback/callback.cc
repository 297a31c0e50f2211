// L4: the caller hands in what to do with each entry, and decides itself about fibers.
#include <functional>
#include <map>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

enum class walk { on, skip_dir, stop };
using visitor = std::function<walk(const std::string& path, bool is_dir, std::error_code err)>;

// A tree in memory: the entries of each directory, in lexical order.
const std::map<std::string, std::vector<std::string>> tree{
    {"dir", {"a.txt", "to", "z.txt"}},
    {"dir/to", {"walk"}},
    {"dir/to/walk", {"b.txt", "skip", "y.txt"}},
    {"dir/to/walk/skip", {"never.txt"}},
};

// Calls f for every entry below path, each directory before what is in it. No fiber is started.
walk walk_directory(const std::string& path, const visitor& f) {
  const auto dir = tree.find(path);
  const walk said = f(path, dir != tree.end(), {});
  if (said == walk::stop || dir == tree.end()) return said;
  if (said == walk::skip_dir) return walk::on;
  for (const std::string& name : dir->second)
    if (walk_directory(path + "/" + name, f) == walk::stop) return walk::stop;
  return walk::on;
}

void right() {
  const auto caller = this_fiber::id();
  walk_directory("dir", [=](const std::string& path, bool is_dir, std::error_code) {
    if (is_dir && path.ends_with("skip")) {
      println("skipping {}", path);
      return walk::skip_dir;
    }
    println("visited {}{}", path, this_fiber::id() == caller ? "" : " in another fiber");
    return walk::on;
  });
}

void stop() {
  walk_directory("dir", [](const std::string& path, bool, std::error_code) {
    println("visited {}", path);
    return path.ends_with("b.txt") ? walk::stop : walk::on;
  });
}

// A caller makes a stream: the fiber, the channel and the way to stop it are the caller's.
void concurrent() {
  auto [ctx, cancel] = with_cancel(background());
  auto names = make_chan<std::string>();
  go([=, ctx = ctx] {
    walk_directory("dir", [&](const std::string& path, bool, std::error_code) {
      return names.send(ctx, path) ? walk::stop : walk::on;
    });
    names.close();
  });
  println("first: {}", *names.recv());
  cancel();
}

const lesson::page page{"L4",
                        "callback",
                        {{"right", "every entry once, in order, in the caller's fiber", right},
                         {"stop", "the callback ends the walk", stop},
                         {"concurrent", "a caller that needs a fiber starts one, and can end it", concurrent}}};

}  // namespace
