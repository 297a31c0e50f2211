#include <weft/fiber_local.h>

#include <utility>
#include <vector>

#include "sched/g.h"

namespace weft::detail {
namespace {

// Few per fiber: a search through a vector is quicker than any map.
struct local_values final : fiber_locals {
  std::vector<std::pair<const void*, std::unique_ptr<local_value>>> all;
  ~local_values() override { local_values::end(); }
  void end() override {
    while (!all.empty()) {
      const auto last_made = std::move(all.back());
      all.pop_back();
    }
  }
};

}  // namespace

local_value* find_local(const void* key) noexcept {
  auto* l = static_cast<local_values*>(self()->locals.get());
  if (!l) return nullptr;
  for (auto& [k, v] : l->all)
    if (k == key) return v.get();
  return nullptr;
}

void set_local(const void* key, std::unique_ptr<local_value> v) {
  G* g = self();
  if (!g->locals) g->locals = std::make_unique<local_values>();
  static_cast<local_values*>(g->locals.get())->all.emplace_back(key, std::move(v));
}

}  // namespace weft::detail
