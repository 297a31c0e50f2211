#include "sched/diagnosis/dump.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/unwind/symbolize.h"
#include "sched/current.h"
#include "sched/diagnosis/wait_cycles.h"
#include "sched/stats.h"
#include "sched/world_scope.h"

namespace weft::detail {
namespace {

// Fibers with equal stacks, which are printed once.
using fiber_group = std::vector<const fiber_view*>;

bool same_stack(const fiber_view& a, const fiber_view& b) {
  return a.site == b.site && a.started == b.started && a.left_out == b.left_out && a.frames == b.frames &&
         a.ancestors == b.ancestors;
}

bool stack_before(const fiber_view& a, const fiber_view& b) {
  if (a.site != b.site) return a.site < b.site;
  if (a.started != b.started) return a.started < b.started;
  if (a.left_out != b.left_out) return a.left_out < b.left_out;
  if (a.frames != b.frames) return a.frames < b.frames;
  return std::lexicographical_compare(a.ancestors.begin(), a.ancestors.end(), b.ancestors.begin(), b.ancestors.end(),
                                      [](const ancestor& x, const ancestor& y) { return x.id < y.id; });
}

// Running fibers are shown one by one: they need not be at the same place.
bool may_be_grouped(const fiber_view& f) { return !f.started || !f.frames.empty(); }

std::vector<fiber_group> group(std::span<const fiber_view> fibers) {
  std::vector<const fiber_view*> by_stack;
  for (const fiber_view& f : fibers) by_stack.push_back(&f);
  std::stable_sort(by_stack.begin(), by_stack.end(), [](auto a, auto b) { return stack_before(*a, *b); });
  std::vector<fiber_group> groups;
  for (const fiber_view* f : by_stack) {
    const bool joins = !groups.empty() && may_be_grouped(*f) && same_stack(*groups.back().front(), *f);
    if (!joins) groups.emplace_back();
    groups.back().push_back(f);
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.front()->id < b.front()->id; });
  return groups;
}

void describe_group(const fiber_group& g, std::string& text) {
  for (const fiber_view* f : g)
    text += fmt::format("fiber {}{}{} [{}{}]:\n", f->id, f->name.empty() ? "" : " ", f->name, describe_state(*f),
                        f->waits_for ? fmt::format(", for fiber {}", f->waits_for) : "");
  if (g.size() > 1) text += fmt::format("{} fibers with this stack:\n", g.size());
  text += describe_stack(*g.front());
  text += '\n';
}

std::string describe_frames(const fiber_view& f) {
  std::string text;
  const auto add = [&text](const std::vector<std::uintptr_t>& part) {
    const auto frames = readable(part);
    for (std::size_t i = 0, run = 1; i < frames.size(); i += run) {
      const source_frame& s = frames[i];
      for (run = 1; i + run < frames.size() && frames[i + run] == s; ++run) {
      }
      text += '\t' + s.function + '\n';
      if (!s.file.empty()) text += fmt::format("\t\t{}:{}\n", s.file, s.line);
      if (run > 1) text += fmt::format("\t\t... {} times in a row\n", run);
    }
  };
  if (f.left_out == 0) {
    add(f.frames);
    return text;
  }
  const auto middle = f.frames.begin() + static_cast<std::ptrdiff_t>(std::min(frame_list::part, f.frames.size()));
  add({f.frames.begin(), middle});
  text += fmt::format("\t... {} frames left out ...\n", f.left_out);
  add({middle, f.frames.end()});
  return text;
}

std::string start_of(std::uint64_t id, const void* site) {
  return id == main_fiber_id ? "weft::run" : to_string(start_site(site));
}

}  // namespace

std::string describe_stack(const fiber_view& f) {
  std::string text = describe_frames(f);
  if (f.frames.empty() && f.started) {
    text = f.m >= 0 ? fmt::format("\trunning on M {}; stack unavailable\n", f.m) : "\tstack unavailable\n";
  }
  text += fmt::format("\tstarted at {}\n", start_of(f.id, f.site));
  for (const ancestor& a : f.ancestors)
    text += fmt::format("\tby fiber {}, started at {}\n", a.id, start_of(a.id, a.site));
  return text;
}

std::string describe_fibers(std::span<const fiber_view> fibers) {
  std::string text;
  for (const fiber_group& g : group(fibers)) describe_group(g, text);
  return text;
}

void dump_world(world& w, std::FILE* out) {
  const auto all = list_fibers(w);
  const std::string text = describe_cycles(all) + describe_fibers(all);
  std::fwrite(text.data(), 1, text.size(), out);
  const std::uint64_t alive = fibers_alive(w);
  if (alive > all.size()) fmt::print(out, "and {} fibers on their way to a queue\n", alive - all.size());
}

const char* to_string(wait_reason r) noexcept {
  switch (r) {
    case wait_reason::none: return "waiting";
    case wait_reason::chan_receive: return "chan receive";
    case wait_reason::chan_send: return "chan send";
    case wait_reason::chan_receive_nil: return "chan receive (nil chan)";
    case wait_reason::chan_send_nil: return "chan send (nil chan)";
    case wait_reason::select: return "select";
    case wait_reason::select_no_cases: return "select (no cases)";
    case wait_reason::sleep: return "sleep";
    case wait_reason::mutex_lock: return "mutex lock";
    case wait_reason::rw_mutex_lock: return "rw_mutex lock";
    case wait_reason::cond_wait: return "cond wait";
    case wait_reason::wait_group_wait: return "wait_group wait";
    case wait_reason::once_wait: return "once";
    case wait_reason::join: return "join";
    case wait_reason::semaphore: return "semaphore";
    case wait_reason::io_wait: return "IO wait";
    case wait_reason::blocked_call: return "back from a blocking call";
  }
  return "?";
}

}  // namespace weft::detail

namespace weft {

void dump_fibers(std::FILE* out) {
  const detail::world_scope here(detail::this_m());
  if (detail::world* w = here.world_or_null()) detail::dump_world(*w, out);
}

}  // namespace weft
