#include "runtime/unwind/symbolize.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

#if defined(WEFT_HAVE_BACKTRACE)
#include <backtrace.h>
#endif

namespace weft::detail {
namespace {

#if defined(WEFT_HAVE_BACKTRACE)

bool is_mangled(const char* name) noexcept { return name[0] == '_' && name[1] == 'Z'; }

void ignore_error(void*, const char*, int) {}

backtrace_state* debug_information() {
  static backtrace_state* state = backtrace_create_state(nullptr, 1, ignore_error, nullptr);
  return state;
}

struct found {
  std::vector<source_frame> frames;
  bool outermost_is_mangled = false;
};

void look_into_debug_information(std::uintptr_t pc, std::vector<source_frame>& frames) {
  backtrace_state* state = debug_information();
  if (!state) return;
  found f;
  backtrace_pcinfo(
      state, pc,
      [](void* to, std::uintptr_t, const char* file, int line, const char* function) {
        if (!function && !file) return 0;
        auto& result = *static_cast<found*>(to);
        result.outermost_is_mangled = function && is_mangled(function);
        result.frames.push_back({function ? demangle(function) : "", file ? file : "", line});
        return 0;
      },
      ignore_error, &f);
  // The debug information calls a lambda "operator()"; the symbol table has the function that
  // contains it.
  if (f.frames.empty()) f.frames.emplace_back();
  if (!f.outermost_is_mangled) {
    backtrace_syminfo(
        state, pc,
        [](void* to, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
          if (symbol) static_cast<source_frame*>(to)->function = demangle(symbol);
        },
        ignore_error, &f.frames.back());
  }
  frames = std::move(f.frames);
}

#else

void look_into_debug_information(std::uintptr_t, std::vector<source_frame>&) {}

#endif

// The answer of the dynamic linker: exported functions, else only an offset into a file.
std::string from_dynamic_symbols(std::uintptr_t pc) {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(pc), &info) || !info.dli_fname) return fmt::format("{:#x}", pc);
  if (!info.dli_sname)
    return fmt::format("{}+{:#x}", info.dli_fname, pc - reinterpret_cast<std::uintptr_t>(info.dli_fbase));
  return fmt::format("{}+{:#x}", demangle(info.dli_sname), pc - reinterpret_cast<std::uintptr_t>(info.dli_saddr));
}

std::vector<source_frame> look_up(std::uintptr_t pc) {
  std::vector<source_frame> frames;
  look_into_debug_information(pc, frames);
  if (frames.empty()) frames.emplace_back();
  if (frames.back().function.empty()) frames.back().function = from_dynamic_symbols(pc);
  return frames;
}

// The name up to its arguments, without template arguments: "void weft::detail::f".
std::string_view qualified(std::string_view function) noexcept {
  return function.substr(0, function.find_first_of("(<"));
}

bool is_in(std::string_view function, std::string_view space) noexcept {
  const std::string_view name = qualified(function);
  const std::size_t at = name.find(space);
  return at == 0 || (at != std::string_view::npos && name[at - 1] == ' ');
}

// Inlined functions have no qualified names in the debug information, but they have files.
bool is_from_our_headers(const source_frame& f) noexcept { return f.file.find("include/weft/") != std::string::npos; }
bool is_from_our_sources(const source_frame& f) noexcept {
  constexpr std::string_view here = __FILE__;
  constexpr std::size_t folders = here.rfind("runtime/unwind/");
  static_assert(folders != here.npos, "the folder of this file, from the root of the sources");
  constexpr std::string_view root = here.substr(0, folders);
  if (!f.file.starts_with(root)) return false;
  const std::string_view inside = std::string_view(f.file).substr(root.size());
  return inside.starts_with("sched/") || inside.starts_with("runtime/") || inside.starts_with("chan/");
}

// Below this function there is only the frame that jumped to it.
bool is_bottom(const source_frame& f) noexcept { return f.function.find("::fiber_entry(") != std::string::npos; }

}  // namespace

std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return plain ? plain.get() : name;
}

const std::vector<source_frame>& symbolize(std::uintptr_t pc) {
  static auto& mutex = *new std::mutex;
  static auto& known = *new std::unordered_map<std::uintptr_t, std::vector<source_frame>>;  // under mutex
  const std::lock_guard hold(mutex);
  auto at = known.find(pc);
  if (at == known.end()) at = known.emplace(pc, look_up(pc)).first;
  return at->second;  // elements of the map stay where they are
}

std::string to_string(const source_frame& f) {
  return f.file.empty() ? f.function : fmt::format("{} {}:{}", f.function, f.file, f.line);
}

bool is_internal(const source_frame& f) noexcept {
  if (is_in(f.function, "weft::detail::")) return true;
  return qualified(f.function).find("::") == std::string_view::npos && is_from_our_sources(f);
}

bool is_below_user_code(const source_frame& f) noexcept {
  return is_internal(f) || is_from_our_headers(f) || is_in(f.function, "std::") || f.function.starts_with("__invoke") ||
         f.function.starts_with("__gthread_") || f.function.starts_with("__glibcxx_") || is_in(f.function, "weft::run");
}

namespace {
constinit std::atomic<bool> all_shown{false};
}

void show_runtime_frames(bool shown) noexcept { all_shown.store(shown, std::memory_order_relaxed); }

std::vector<source_frame> readable(const std::vector<std::uintptr_t>& frames) {
  std::vector<source_frame> all;
  for (const std::uintptr_t pc : frames) {
    const auto& here = symbolize(pc);
    all.insert(all.end(), here.begin(), here.end());
  }
  if (all_shown.load(std::memory_order_relaxed)) return all;
  if (const auto bottom = std::find_if(all.rbegin(), all.rend(), is_bottom); bottom != all.rend())
    all.erase(bottom.base(), all.end());
  const auto from = std::find_if(all.begin(), all.end(), [](const auto& f) { return !is_internal(f); });
  const auto to = std::find_if(all.rbegin(), all.rend(), [](const auto& f) { return !is_below_user_code(f); }).base();
  if (to <= from) return all;  // all frames are the runtime's own
  return {from, to};
}

source_frame first_of_user(const std::vector<std::uintptr_t>& frames) {
  source_frame last;
  for (const std::uintptr_t pc : frames)
    for (const source_frame& f : symbolize(pc)) {
      if (!is_below_user_code(f)) return f;
      last = f;
    }
  return last;
}

source_frame start_site(const void* site) { return first_of_user({reinterpret_cast<std::uintptr_t>(site) - 1}); }

}  // namespace weft::detail
