#include "lessons/support/page.h"

#include <algorithm>

namespace lesson {
namespace {

std::vector<const page*>& registry() {
  static std::vector<const page*> all;
  return all;
}

// "L9" before "L10".
bool before(const page* a, const page* b) {
  if (a->id.size() != b->id.size() && a->id[0] == b->id[0]) return a->id.size() < b->id.size();
  return a->id < b->id;
}

}  // namespace

page::page(std::string_view i, std::string_view n, std::vector<variant> v, layout l)
    : id(i), name(n), variants(std::move(v)), shown(l) {
  registry().push_back(this);
  std::sort(registry().begin(), registry().end(), before);
}

const std::vector<const page*>& pages() { return registry(); }

}  // namespace lesson
