#include "runtime/cpu_count.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>

#include "runtime/cgroup.h"
#include "runtime/fatal.h"

namespace weft::detail {
namespace {

std::optional<int> number_of_ps(const char* variable, const char* value, void (*complain)(std::string_view)) {
  if (!value || !*value) return std::nullopt;
  const std::string_view text = value;
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error == std::errc() && end == text.data() + text.size() && n >= 1 && n <= max_procs) return n;
  if (complain) complain(fmt::format("{}='{}' ignored: expected a number from 1 to {}", variable, text, max_procs));
  return std::nullopt;
}

bool says(const char* commas, std::string_view word) {
  std::string_view rest = commas ? commas : "";
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (rest.substr(0, comma) == word) return true;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

int cpu_count() noexcept {
  // The kernel refuses a mask that is too small for the machine, and does not say how large it must
  // be.
  constexpr int widest = 1 << 20;
  for (int width = 1024; width <= widest; width *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(CPU_ALLOC(static_cast<std::size_t>(width)),
                                                                [](cpu_set_t* m) { CPU_FREE(m); });
    if (!mask) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(width));
    if (sched_getaffinity(0, size, mask.get()) == 0) return std::max(1, CPU_COUNT_S(size, mask.get()));
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::clamp<long>(sysconf(_SC_NPROCESSORS_ONLN), 1, widest));
}

int choose_maxprocs(const maxprocs_facts& f, void (*complain)(std::string_view)) {
  if (const auto n = number_of_ps("WEFT_MAXPROCS", f.weft_maxprocs, complain)) return *n;
  if (const auto n = number_of_ps("GOMAXPROCS", f.gomaxprocs, complain)) return *n;
  const int cpus = std::clamp(f.cpus, 1, max_procs);
  if (!f.quota || says(f.weft_debug, "cgroup=0")) return cpus;
  constexpr int fewest_by_quota = 2;
  return std::min(cpus, std::max(*f.quota, fewest_by_quota));
}

int default_maxprocs() {
  static std::atomic<bool> complained{false};
  return choose_maxprocs({.weft_maxprocs = std::getenv("WEFT_MAXPROCS"),
                          .gomaxprocs = std::getenv("GOMAXPROCS"),
                          .weft_debug = std::getenv("WEFT_DEBUG"),
                          .cpus = cpu_count(),
                          .quota = cgroup_cpu_quota()},
                         complained.exchange(true, std::memory_order_relaxed) ? nullptr : log_line);
}

}  // namespace weft::detail
