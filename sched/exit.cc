#include "sched/exit.h"

#include <cxxabi.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "sched/dump.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

std::string type_name(const std::type_info& t) {
  int status = 0;
  char* plain = abi::__cxa_demangle(t.name(), nullptr, nullptr, &status);
  std::string name = plain ? plain : t.name();
  std::free(plain);
  return name;
}

std::string describe(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& e) {
    return fmt::format("{}: {}", type_name(typeid(e)), e.what());
  } catch (const std::string& s) {
    return s;
  } catch (const char* s) {
    return s;
  } catch (...) {
    const std::type_info* t = abi::__cxa_current_exception_type();
    return t ? fmt::format("exception of type {}", type_name(*t)) : "unknown exception";
  }
}

// Set once, by the fiber whose report is the process's last words.
constinit std::atomic<bool> panicking{false};

[[noreturn]] void wait_for_the_end() noexcept {
  for (;;) pause();
}

}  // namespace

void let_a_panic_finish() noexcept {
  if (panicking.load(std::memory_order_relaxed)) wait_for_the_end();
}

void note_goexit(std::uint64_t id) noexcept {
  if (id == 1) the_world()->main_gone.store(true, std::memory_order_relaxed);
}

void uncaught_exception_panic(std::exception_ptr what) noexcept {
  if (panicking.exchange(true, std::memory_order_relaxed)) wait_for_the_end();
  const std::string text = describe(what);
  const G* g = this_m()->g;
  const spawn_extras* extras = extras_of(g->record);
  std::fflush(stdout);
  fmt::print(stderr, "panic: {}\n\nfiber {}{}{} [running]:\n\tstarted at {}\n", text, g->id,
             extras ? " " : "", extras ? extras->name : "", describe_code(g->site));
  std::fflush(stderr);
  _exit(2);
}

}  // namespace weft::detail

namespace weft {

void goexit() {
  if (!detail::in_fiber()) throw panic("goexit: called outside a fiber");
  throw detail::goexit_signal{};
}

}  // namespace weft
