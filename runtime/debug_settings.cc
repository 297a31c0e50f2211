#include "runtime/debug_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>

#include "runtime/fatal.h"
#include "runtime/stack.h"

namespace weft::detail {
namespace {

constexpr int longest_ms = 24 * 3600 * 1000, most_ancestors = 100;

bool read_flag(std::string_view value, bool& into) {
  if (value != "0" && value != "1" && !value.empty()) return false;
  into = value != "0";
  return true;
}

bool read_number(std::string_view value, int least, int most, int& into) {
  int n = 0;
  const auto [end, e] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (e != std::errc() || end != value.data() + value.size() || n < least || n > most) return false;
  into = n;
  return true;
}

bool read_traceback(std::string_view value, traceback& into) {
  constexpr std::array<std::string_view, 5> words{"none", "single", "all", "system", "crash"};
  const auto at = std::find(words.begin(), words.end(), value);
  if (at == words.end()) return false;
  into = static_cast<traceback>(at - words.begin());
  return true;
}

// Null, or the correct form.
const char* read_word(std::string_view name, std::string_view value, debug_settings& s) {
  constexpr const char *flag = "0 or 1", *guard_range = "KiB, 4 to 65536";
  constexpr int least_guard_kib = page_size >> 10, most_guard_kib = max_guard_size >> 10;
  if (name == "ancestors") return read_number(value, 0, most_ancestors, s.ancestors) ? nullptr : "a number, 0 to 100";
  if (name == "cgroup") return read_flag(value, s.cgroup) ? nullptr : flag;
  if (name == "chaos") return read_flag(value, s.chaos) ? nullptr : flag;
  if (name == "guard") return read_number(value, least_guard_kib, most_guard_kib, s.guard_kib) ? nullptr : guard_range;
  if (name == "leaks") return read_flag(value, s.leaks) ? nullptr : flag;
  if (name == "limit") return read_flag(value, s.limit) ? nullptr : flag;
  if (name == "poller") return read_flag(value, s.poller) ? nullptr : flag;
  if (name == "stacks") return read_flag(value, s.stacks) ? nullptr : flag;
  if (name == "schedtrace")
    return read_number(value, 0, longest_ms, s.schedtrace_ms) ? nullptr : "milliseconds, 0 to 86400000";
  if (name == "sigquit") {
    s.sigquit_continues = value == "continue";
    return s.sigquit_continues ? nullptr : "continue";
  }
  if (name == "traceback")
    return read_traceback(value, s.traceback_level) ? nullptr : "none, single, all, system or crash";
  return "one of ancestors, cgroup, chaos, guard, leaks, limit, poller, schedtrace, sigquit, stacks, traceback";
}

}  // namespace

debug_settings parse_debug_settings(const char* text, void (*complain)(std::string_view)) {
  debug_settings s;
  for (std::string_view rest = text ? text : ""; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(word.size() < rest.size() ? word.size() + 1 : word.size());
    if (word.empty()) continue;
    const std::string_view name = word.substr(0, word.find('='));
    const std::string_view value = name.size() < word.size() ? word.substr(name.size() + 1) : "";
    if (const char* allowed = read_word(name, value, s); allowed && complain)
      complain(fmt::format("WEFT_DEBUG: \"{}\" is not understood and ignored (allowed: {})", word, allowed));
  }
  return s;
}

debug_settings debug_settings_now() {
  static std::atomic<bool> complained{false};
  return parse_debug_settings(std::getenv("WEFT_DEBUG"),
                              complained.exchange(true, std::memory_order_relaxed) ? nullptr : log_line);
}

}  // namespace weft::detail
