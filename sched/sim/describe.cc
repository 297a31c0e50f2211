#include "sched/sim/describe.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "runtime/unwind/symbolize.h"

namespace weft::detail {
namespace {

// Whose stack the holder of what f waits for lies on; null: not known.
const sim_fiber* holder_of(const sim_fiber& f, const std::vector<sim_fiber*>& all) {
  if (!f.waits_on) return nullptr;
  std::uintptr_t at = 0;
  static_assert(sizeof *f.waits_on == sizeof at);
  std::memcpy(&at, static_cast<const void*>(f.waits_on), sizeof at);
  for (const sim_fiber* h : all)
    if (at >= reinterpret_cast<std::uintptr_t>(h->where.bottom) &&
        at < reinterpret_cast<std::uintptr_t>(h->where.top()))
      return h;
  return nullptr;
}

std::vector<sim_fiber*> by_id(std::vector<sim_fiber*> all) {
  std::sort(all.begin(), all.end(), [](const sim_fiber* a, const sim_fiber* b) { return a->id < b->id; });
  return all;
}

}  // namespace

std::string fiber_name(const sim_fiber& f) {
  const spawn_extras* e = extras_of(f.record);
  return e && !e->name.empty() ? fmt::format("{} ({})", f.id, e->name) : fmt::format("{}", f.id);
}

std::string describe_waiters(const std::vector<sim_fiber*>& all) {
  constexpr std::size_t most = 8;
  std::string text;
  std::size_t n = 0;
  for (const sim_fiber* f : by_id(all)) {
    if (n++ == most) {
      text += fmt::format(" and {} more", all.size() - most);
      break;
    }
    const wait_reason why = f->reason.load(std::memory_order_relaxed);
    text += fmt::format("{}fiber {} [{}]", n > 1 ? ", " : "", fiber_name(*f),
                        f->pending == sim_op::wait ? "sim::wait" : to_string(why));
    if (const sim_fiber* h = holder_of(*f, all)) text += fmt::format(" waits for fiber {}", fiber_name(*h));
  }
  return text;
}

std::uint64_t signature_of_waiters(const std::vector<sim_fiber*>& all) {
  std::uint64_t sum = 0;  // in any order
  for (const sim_fiber* f : all) {
    std::uint64_t h = reinterpret_cast<std::uintptr_t>(f->site) * 31 +
                      static_cast<std::uint64_t>(f->reason.load(std::memory_order_relaxed));
    h *= 0x9e3779b97f4a7c15u;
    sum += h ^ (h >> 32);
  }
  return sum;
}

std::string describe_exception() {
  if (!std::current_exception()) return "std::terminate was called without an exception";
  const std::type_info* t = abi::__cxa_current_exception_type();
  const std::string type = t ? demangle(t->name()) : "unknown exception";
  try {
    throw;
  } catch (const std::exception& e) {
    return type + ": " + e.what();
  } catch (const std::string& s) {
    return s;
  } catch (const char* s) {
    return s;
  } catch (...) {
    return "exception of type " + type;
  }
}

const char* to_string(sim_op op) noexcept {
  switch (op) {
    case sim_op::none: break;
    case sim_op::section: return "operation";
    case sim_op::mutex_lock: return "mutex lock";
    case sim_op::mutex_unlock: return "mutex unlock";
    case sim_op::wait_group: return "wait_group";
    case sim_op::chan: return "chan";
    case sim_op::select: return "select";
    case sim_op::cond: return "cond";
    case sim_op::semaphore: return "semaphore";
    case sim_op::rw_mutex: return "rw_mutex";
    case sim_op::atomic_value: return "atomic_value";
    case sim_op::peek: return "try";
    case sim_op::yield: return "yield";
    case sim_op::point: return "point";
    case sim_op::park: return "waits";
    case sim_op::end: return "ends";
    case sim_op::wait: return "sim::wait";
    case sim_op::value: return "choice";
    case sim_op::start: return "starts";
    case sim_op::timers: return "timer fires early";
    case sim_op::panic: return "panics";
  }
  return "";
}

}  // namespace weft::detail
