// Starting fibers and running a world of them.
#pragma once
#include <weft/detail/spawn.h>
#include <weft/errors.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

enum class poller_kind { automatic, io_uring, epoll };

struct options {
  int maxprocs = 0;                     // Ps; 0: WEFT_MAXPROCS, GOMAXPROCS, cgroup quota, affinity
  std::size_t stack_size = 256 << 10;   // bytes of address space per fiber, 16 KiB to 1 GiB
  int max_threads = 10'000;             // more OS threads than this end the process
  poller_kind poller = poller_kind::automatic;
  bool report_leaks = false;            // list fibers alive when run returns, by start site
};

struct fiber_options {
  std::string name = {};        // shown in dumps
  std::size_t stack_size = 0;   // bytes, 0: the world's
};

namespace detail {
int run_world(const options& o, std::function<int()> main_fiber);

template <class F, class... Args>
auto bind_call(F&& f, Args&&... args) {
  if constexpr (sizeof...(Args) == 0) {
    return std::decay_t<F>(std::forward<F>(f));
  } else {
    return [call = std::tuple<std::decay_t<F>, std::decay_t<Args>...>(std::forward<F>(f),
                                                                      std::forward<Args>(args)...)]() mutable {
      std::apply([](auto&& g, auto&&... a) { std::invoke(std::move(g), std::move(a)...); }, std::move(call));
    };
  }
}
template <class F>
concept callable_or_method = !std::is_same_v<std::decay_t<F>, fiber_options>;
}  // namespace detail

// Runs `main_fiber`, void() or int(), as the first fiber of a new world on this thread and
// maxprocs - 1 further ones, and returns when it does: its int, or 0. At most maxprocs fibers run at once, but for
// those that block or compute beyond a time slice without a call: they keep their threads, and others go on meanwhile.
// Other fibers are abandoned then and run no user code any more. Blocks the calling thread. May be called again
// afterwards; throws weft::panic from inside a fiber, while another world runs, or for options out of range.
template <class F>
int run(const options& o, F&& main_fiber) {
  using R = std::invoke_result_t<F&>;
  static_assert(std::is_void_v<R> || std::is_convertible_v<R, int>, "the main fiber returns void or int");
  // By reference: run_world does not return before the main fiber has.
  return detail::run_world(o, [&main_fiber]() -> int {
    if constexpr (std::is_void_v<R>) {
      main_fiber();
      return 0;
    } else {
      return main_fiber();
    }
  });
}
template <class F>
int run(F&& main_fiber) {
  return run(options{}, std::forward<F>(main_fiber));
}

// Starts a fiber that calls f(args...), all decay-copied now. Go's go statement. Never blocks.
// From fibers and plain threads while a world runs; throws weft::panic otherwise.
template <detail::callable_or_method F, class... Args>
[[gnu::always_inline]] inline void go(F&& f, Args&&... args) {
  using bound = decltype(detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
  if constexpr (sizeof...(Args) == 0)
    detail::spawn<detail::plain_record<bound>>(detail::code_address(), std::forward<F>(f));
  else
    detail::spawn<detail::plain_record<bound>>(detail::code_address(),
                                               detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
}

// As above with a name or a stack size of its own.
template <class F, class... Args>
[[gnu::always_inline]] inline void go(fiber_options o, F&& f, Args&&... args) {
  detail::check_stack_size(o.stack_size);
  using bound = decltype(detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
  detail::spawn<detail::named_record<bound>>(detail::code_address(),
                                             detail::spawn_extras{std::move(o.name), o.stack_size},
                                             detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
}

// Lets every other runnable fiber go first. Go's runtime.Gosched. On a plain thread yields that.
void yield();

// Ends the calling fiber: unwinds its stack, destructors run. Go's runtime.Goexit. A catch (...)
// on the way must rethrow. Throws weft::panic on a plain thread.
[[noreturn]] void goexit();

// Sets the number of Ps if n > 0 and returns the number before. Go's runtime.GOMAXPROCS.
// At most 1024; more, or less than 0, throws weft::panic. A P that is over is given up at its
// fiber's next call into weft.
int maxprocs(int n = 0);

// CPUs that this process may use now. Go's runtime.NumCPU.
int num_cpu();

// Fibers that have not ended, the main one included. Go's runtime.NumGoroutine.
std::size_t num_fibers();

// The calling fiber keeps to this OS thread, and nothing else runs on it, until as many unlocks.
// A fiber that ends while locked takes its thread with it. Go's runtime.LockOSThread.
void lock_os_thread();
void unlock_os_thread();

namespace this_fiber {
// Never reused; the main fiber is 1. 0 on a plain thread.
std::uint64_t id();
// As given to go(), else empty. Valid while the fiber lives.
std::string_view name();
}  // namespace this_fiber

// Every fiber: id, name, state, wait reason, start site. From anywhere while a world runs.
void dump_fibers(std::FILE* out);

// Counters since the world began; read while it runs, so only roughly of one moment.
// How far down the fibers of one go statement have used their stacks.
struct stack_use {
  std::string started_at;    // "function file:line"
  std::uint64_t fibers = 0;  // so many, those that live included
  std::size_t most = 0;      // bytes that the deepest of them has touched, in whole pages, the page of the fiber
                             // itself included
  std::size_t size = 0;      // of its stack, with the guard page
};

struct runtime_stats {
  std::uint64_t spawned = 0;       // fibers started
  std::uint64_t finished = 0;      // fibers ended
  std::uint64_t switches = 0;      // times a P took up a fiber
  std::uint64_t adopted = 0;       // of those: fibers run on the warm stack of one that had just ended
  std::uint64_t steals = 0;        // times a P took work from another
  std::uint64_t stolen = 0;        // fibers so taken
  std::uint64_t wakeups = 0;       // times an idle M was woken
  std::uint64_t handoffs = 0;      // Ps given away by a blocked M
  std::uint64_t timers_fired = 0;
  std::uint64_t threads = 0;       // OS threads running fibers or waiting to
  std::vector<stack_use> stacks;   // deepest first; only with WEFT_DEBUG=stacks, which makes fibers dearer
};
runtime_stats stats();

namespace detail {
// Thrown by goexit(). No std::exception, so that only a catch (...) can meet it.
struct goexit_signal {};
void begin_blocking();
void end_blocking() noexcept;
}  // namespace detail

// Calls f, which may block the OS thread, while another thread runs the other fibers, at once: a call that is not
// announced so holds them up for some milliseconds, until the monitor has taken its P. Inside f the
// thread counts as a plain one. Returns what f returns. On a plain thread just calls f.
template <class F>
auto blocking(F&& f) {
  detail::begin_blocking();
  struct end {
    ~end() { detail::end_blocking(); }
  } e;
  return std::forward<F>(f)();
}

}  // namespace weft
