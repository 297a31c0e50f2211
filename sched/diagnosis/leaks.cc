// Fibers that have not ended: the report at the end of run(), and the check for tests.
#include "sched/diagnosis/leaks.h"

#include <fmt/format.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "runtime/unwind/symbolize.h"
#include "sched/current.h"
#include "sched/diagnosis/dump.h"
#include "sched/stats.h"
#include "sched/world_scope.h"

namespace weft::detail {

void report_leaks(world& w) {
  const std::uint64_t alive = fibers_alive(w);
  if (alive == 0) return;
  std::map<std::pair<const void*, std::string>, std::vector<const fiber_view*>> by_site;
  const auto all = list_fibers(w);
  for (const fiber_view& f : all) by_site[{f.site, f.name}].push_back(&f);
  std::string text = fmt::format("weft: {} fiber{} alive when run returned\n", alive, alive == 1 ? " was" : "s were");
  for (const auto& [where, fibers] : by_site) {
    std::map<std::string, std::size_t> states;
    for (const fiber_view* f : fibers) ++states[describe_state(*f)];
    text += fmt::format("\t{} {}started at {}:", fibers.size(), where.second.empty() ? "" : where.second + " ",
                        to_string(start_site(where.first)));
    for (const auto& [state, n] : states) text += fmt::format(" {} [{}]", n, state);
    text += '\n';
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace weft::detail

namespace weft::testing {

struct leak_filter {
  static bool overlooks(const ignore& i, const detail::fiber_view& f) {
    const auto has_part = [&i](const detail::source_frame& s) { return s.function.find(i.part_) != std::string::npos; };
    switch (i.kind_) {
      case ignore::ids: return std::binary_search(i.ids_.begin(), i.ids_.end(), f.id);
      case ignore::start: return has_part(detail::start_site(f.site));
      case ignore::top: {
        const auto frames = detail::readable(f.frames);
        return !frames.empty() && has_part(frames.front());
      }
      case ignore::any: {
        const auto frames = detail::readable(f.frames);
        return std::any_of(frames.begin(), frames.end(), has_part);
      }
    }
    return false;
  }
};

namespace {

bool is_expected(const detail::fiber_view& f, std::uint64_t caller, std::span<const ignore> overlook) {
  if (f.id == detail::main_fiber_id || f.id == caller || f.name.starts_with("weft: ")) return true;
  return std::any_of(overlook.begin(), overlook.end(), [&f](const ignore& i) { return leak_filter::overlooks(i, f); });
}

struct listing {
  std::vector<detail::fiber_view> fibers;
  bool all_seen;  // else one was on its way from a queue to its stack, and could not be read
};

listing list_all(detail::world& w) {
  const std::uint64_t alive = detail::fibers_alive(w);
  auto fibers = detail::list_fibers(w);
  const bool all_seen = fibers.size() >= alive;
  return {std::move(fibers), all_seen};
}

listing unexpected_fibers(detail::world& w, std::span<const ignore> overlook) {
  listing all = list_all(w);
  const std::uint64_t caller = this_fiber::id();
  std::erase_if(all.fibers, [&](const auto& f) { return is_expected(f, caller, overlook); });
  return all;
}

// The sleep between two looks at fibers that are about to end or to become visible: 1 us to 100 ms.
class naps {
 public:
  bool over() const noexcept { return looks_ == most; }
  void take() {
    ++looks_;
    sleep(nap_);
    nap_ = std::min<duration>(2 * nap_, std::chrono::milliseconds(100));
  }

 private:
  static constexpr int most = 19;
  int looks_ = 0;
  duration nap_ = std::chrono::microseconds(1);
};

}  // namespace

ignore ignore::top_function(std::string part) { return {top, std::move(part), {}}; }
ignore ignore::any_function(std::string part) { return {any, std::move(part), {}}; }
ignore ignore::start_function(std::string part) { return {start, std::move(part), {}}; }

ignore ignore::current() {
  std::vector<std::uint64_t> now;
  const detail::world_scope here(detail::this_m());
  if (detail::world* w = here.world_or_null()) {
    listing all = list_all(*w);
    for (naps n; !all.all_seen && !n.over(); all = list_all(*w)) n.take();
    for (const auto& f : all.fibers) now.push_back(f.id);
  }
  return {ids, "", std::move(now)};
}

std::string find_leaks(std::span<const ignore> overlook) {
  for (naps n;; n.take()) {  // a world may end between two looks
    const detail::world_scope here(detail::this_m());
    if (!here.world_or_null()) return "";
    const auto [left, all_seen] = unexpected_fibers(*here.world_or_null(), overlook);
    if (left.empty() && (all_seen || n.over())) return "";
    if (n.over())
      return fmt::format("{} fiber{} left behind\n\n", left.size(), left.size() == 1 ? " is" : "s are") +
             detail::describe_fibers(left);
  }
}

leak_check::leak_check(found_fn found, std::vector<ignore> overlook)
    : found_(std::move(found)), overlook_(std::move(overlook)) {
  overlook_.push_back(ignore::current());
}

leak_check::~leak_check() {
  const std::string report = find_leaks(overlook_);
  if (report.empty()) return;
  if (found_) {
    found_(report);
    return;
  }
  std::fputs(report.c_str(), stderr);
  _exit(2);
}

}  // namespace weft::testing
