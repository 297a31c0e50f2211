#include "sched/diagnosis/panic.h"

#include <cxxabi.h>
#include <execinfo.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <new>
#include <string>
#include <string_view>

#include "runtime/unwind/symbolize.h"
#include "sched/blocking.h"
#include "sched/diagnosis/dump.h"
#include "sched/diagnosis/fatal_exit.h"
#include "sched/g.h"
#include "sched/m.h"

namespace weft::detail {
namespace {

std::string describe(std::exception_ptr what);

// The nested exception of `outer`, if it has one: std::throw_with_nested.
std::string describe_cause(const std::exception& outer) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&outer);
  if (!nested || !nested->nested_ptr()) return "";
  return "\n\tbecause of " + describe(nested->nested_ptr());
}

std::string describe(std::exception_ptr what) {
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& e) {
    return fmt::format("{}: {}{}", demangle(typeid(e).name()), e.what(), describe_cause(e));
  } catch (const std::string& s) {
    return s;
  } catch (const char* s) {
    return s;
  } catch (...) {
    const std::type_info* t = abi::__cxa_current_exception_type();
    return t ? fmt::format("exception of type {}", demangle(t->name())) : "unknown exception";
  }
}

// e.what() is the program's code: it may yield, block, or throw itself. Throws std::bad_alloc only.
std::string describe_safely(const std::exception_ptr& what) {
  try {
    return describe(what);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    const std::type_info* t = abi::__cxa_current_exception_type();
    return fmt::format("(panic while printing panic value: exception of type {})", t ? demangle(t->name()) : "unknown");
  }
}

void write_raw(std::string_view text) noexcept {
  [[maybe_unused]] const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
}

// Writes the panic without allocating memory: the reason, and the frames as the loader names them.
void print_panic_without_memory(const std::exception_ptr& what) noexcept {
  write_raw("panic: ");
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& e) {
    int status = 0;
    char* name = abi::__cxa_demangle(typeid(e).name(), nullptr, nullptr, &status);
    write_raw(name ? name : typeid(e).name());
    std::free(name);
    write_raw(": ");
    write_raw(e.what());
  } catch (const char* s) {
    write_raw(s);
  } catch (...) {
    const std::type_info* t = abi::__cxa_current_exception_type();
    write_raw("exception of type ");
    write_raw(t ? t->name() : "unknown");
  }
  write_raw("\n(out of memory while the panic is printed)\n");
  const frame_list frames = own_frames();
  for (const std::uintptr_t pc : frames.first()) {
    auto* address = reinterpret_cast<void*>(pc);
    if (pc) backtrace_symbols_fd(&address, 1, STDERR_FILENO);
  }
}

// 0, or the id of the fiber whose report ends the process.
constinit std::atomic<std::uint64_t> panicking{0};

[[noreturn]] void wait_for_the_end() noexcept {
  if (in_fiber()) park_forever(wait_reason::none);  // the reporting fiber may need this P
  for (;;) pause();
}

// Without the frames of the throw itself.
std::vector<std::uintptr_t> from_the_throw(std::vector<std::uintptr_t> frames) {
  const auto is_throw = [](std::uintptr_t pc) {
    const std::string& f = symbolize(pc).back().function;
    return f.starts_with("__cxa_throw") || f.starts_with("__cxa_rethrow") || f.starts_with("std::terminate") ||
           f.starts_with("__cxa_call_terminate") || f.starts_with("_Unwind_") ||
           f.starts_with("weft::detail::panic_of") || f.starts_with("std::rethrow_exception") ||
           f.starts_with("__gxx_personality");
  };
  const auto last = std::find_if(frames.rbegin(), frames.rend(), is_throw);
  frames.erase(frames.begin(), last.base());
  return frames;
}

void print_panic(const G& g, const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "panic: {}\n", text);
  if (traceback_level() == traceback::none) return;
  fiber_view f;
  f.id = g.id;
  f.state = g_state::running;
  f.site = g.site;
  if (const spawn_extras* e = extras_of(g.record)) f.name = e->name;
  const frame_list frames = own_frames();
  f.frames = from_the_throw(frames.kept());
  f.left_out = frames.left_out();
  f.ancestors = ancestors_of(g.id);
  fmt::print(stderr, "\n{}{}", describe_fibers({&f, 1}), describe_other_fibers(g.id));
  std::fflush(stderr);
}

std::terminate_handler before = nullptr;

bool was_the_default() noexcept {
#if defined(__GLIBCXX__)
  return !before || before == __gnu_cxx::__verbose_terminate_handler;
#else
  return !before;
#endif
}

[[noreturn]] void call_the_one_before() noexcept {
  if (before) before();
  std::abort();
}

[[noreturn]] void end_of_a_panic() noexcept {
  if (!was_the_default()) call_the_one_before();
  exit_by_error();
}

void on_terminate() {
  const std::exception_ptr what = std::current_exception();
  const M* m = this_m_in_any_call();
  if (!m || !m->g || !what) call_the_one_before();
  const G* g = m->g;  // of this fiber, also if it moves to another M
  std::uint64_t nobody = 0;
  if (!panicking.compare_exchange_strong(nobody, g->id, std::memory_order_relaxed)) {
    if (nobody != g->id) wait_for_the_end();
    std::fputs("panic: (panic while printing panic value)\n", stderr);
    end_of_a_panic();
  }
  try {
    print_panic(*g, describe_safely(what));
  } catch (const std::bad_alloc&) {
    print_panic_without_memory(what);
  }
  end_of_a_panic();
}

}  // namespace

void panic_of(const G& g, const std::string& text) {
  std::uint64_t nobody = 0;
  if (!panicking.compare_exchange_strong(nobody, g.id, std::memory_order_relaxed)) wait_for_the_end();
  print_panic(g, text);
  exit_by_error();
}

void install_panic_handler() noexcept { before = std::set_terminate(on_terminate); }

void uninstall_panic_handler() noexcept {
  if (std::get_terminate() == on_terminate) std::set_terminate(before);
}

void let_a_panic_finish() noexcept {
  if (panicking.load(std::memory_order_relaxed) != 0) wait_for_the_end();
}

void let_a_panic_finish_or_end() noexcept {
  const std::uint64_t id = panicking.load(std::memory_order_relaxed);
  if (id == 0) return;
  fmt::print(stderr, "panic: in fiber {}, whose text never became available\n", id);
  std::fflush(stderr);
  exit_by_error();
}

}  // namespace weft::detail
