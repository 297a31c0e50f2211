#include "sched/dump.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "sched/g.h"

namespace weft::detail {
namespace {

struct fiber_view {
  std::uint64_t id;
  g_state state;
  wait_reason reason;
  const void* site;
  std::string name;
};

const char* to_string(g_state s) noexcept {
  switch (s) {
    case g_state::free: return "free";
    case g_state::runnable: return "runnable";
    case g_state::running: return "running";
    case g_state::parked: return "waiting";
    case g_state::blocked: return "blocking call";
  }
  return "?";
}

// Started fibers of this world. Racy where they run: a fiber may move on while it is looked at.
std::vector<fiber_view> started_fibers() {
  std::vector<fiber_view> all;
  for_each_arena(
      [](stack_arena& a, void* arg) {
        a.for_each([arg](const stack& s) {
          const G* g = g_of(s);
          const g_state state = g->state.load(std::memory_order_relaxed);
          if (state == g_state::free || (g->flags & abandoned)) return;
          const spawn_extras* extras = state == g_state::parked ? extras_of(g->record) : nullptr;
          static_cast<std::vector<fiber_view>*>(arg)->push_back(
              {g->id, state, g->reason.load(std::memory_order_relaxed), g->site, extras ? extras->name : ""});
        });
      },
      &all);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

}  // namespace

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

std::string describe_code(const void* address) {
  Dl_info info{};
  if (!dladdr(address, &info) || !info.dli_fname) return fmt::format("{}", address);
  if (!info.dli_sname) {
    const auto offset = static_cast<const char*>(address) - static_cast<const char*>(info.dli_fbase);
    return fmt::format("{}+{:#x}", info.dli_fname, offset);
  }
  int status = 0;
  char* plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  const auto offset = static_cast<const char*>(address) - static_cast<const char*>(info.dli_saddr);
  std::string text = fmt::format("{}+{:#x}", plain ? plain : info.dli_sname, offset);
  std::free(plain);
  return text;
}

void dump_world(world& w, std::FILE* out) {
  const auto all = started_fibers();
  for (const fiber_view& f : all) {
    const char* what = f.state == g_state::parked ? detail::to_string(f.reason) : to_string(f.state);
    fmt::print(out, "fiber {}{}{} [{}]:\n\tstarted at {}\n\n", f.id, f.name.empty() ? "" : " ", f.name, what,
               describe_code(f.site));
  }
  const std::uint64_t alive = fibers_alive(w);
  if (alive > all.size()) fmt::print(out, "and {} fibers that have not run yet\n", alive - all.size());
}

void report_leaks(world& w) {
  std::map<std::pair<const void*, std::string>, std::size_t> by_site;
  for (const fiber_view& f : started_fibers()) ++by_site[{f.site, f.name}];
  const std::uint64_t alive = fibers_alive(w);
  if (alive == 0) return;
  fmt::print(stderr, "weft: {} fibers were alive when run returned\n", alive);
  for (const auto& [where, n] : by_site)
    fmt::print(stderr, "\t{} {}started at {}\n", n, where.second.empty() ? "" : where.second + " ",
               describe_code(where.first));
}

}  // namespace weft::detail

namespace weft {

void dump_fibers(std::FILE* out) {
  detail::world* w = detail::the_world();
  if (w) detail::dump_world(*w, out);
}

}  // namespace weft
