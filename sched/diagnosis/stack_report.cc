#include "sched/diagnosis/stack_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "runtime/unwind/symbolize.h"
#include "sched/diagnosis/fiber_list.h"
#include "sched/stack_marks.h"
#include "sched/world.h"

namespace weft::detail {

std::vector<stack_use> stack_uses(world& w) {
  const stack_marks::by_site all = w.marks->snapshot([&w](stack_marks::by_site& marks) {
    for (const fiber_view& f : list_fibers(w, with_frames::no))
      if (f.started)
        stack_marks::add(marks, f.id == main_fiber_id ? nullptr : f.site, touched(f.where), f.where.size());
  });
  std::vector<stack_use> uses;
  for (const auto& [site, m] : all)
    uses.push_back({site ? to_string(start_site(site)) : "weft::run", m.fibers, m.most, m.size});
  std::stable_sort(uses.begin(), uses.end(), [](const stack_use& a, const stack_use& b) { return a.most > b.most; });
  return uses;
}

void report_stack_use(world& w) {
  std::string text = "weft: stacks used, at most, in bytes\n";
  for (const stack_use& u : stack_uses(w))
    text += fmt::format("\t{} of {}: {} fiber{} started at {}\n", u.most, u.size, u.fibers, u.fibers == 1 ? "" : "s",
                        u.started_at);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace weft::detail
