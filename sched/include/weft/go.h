// Starting fibers, and running a world of them.
//
//   int main() {
//     return weft::run([] {
//       weft::go([] { std::puts("a second fiber"); });
//       weft::yield();
//     });
//   }
//
// A world is everything between the call of run() and its return: its fibers (G), the processors
// (P) and the OS threads (M) that run them. A process has at most one world at a time.
#pragma once
#include <weft/detail/spawn.h>
#include <weft/errors.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

// How the world waits for descriptors. automatic: io_uring if the kernel allows it, else epoll.
enum class poller_kind { automatic, io_uring, epoll };

// The options of run(). run() throws weft::panic for a value out of range.
struct options {
  int maxprocs = 0;                     // number of Ps; 0: WEFT_MAXPROCS, GOMAXPROCS, cgroup quota, affinity
  std::size_t stack_size = 256 << 10;   // usable bytes per fiber, 16 KiB to 1 GiB; docs/stacks.md
  std::size_t guard_size = 64 << 10;    // bytes below each stack in which every access faults, 4 KiB to 64 MiB
  int max_threads = 10'000;             // the process ends if it needs more OS threads
  poller_kind poller = poller_kind::automatic;
  bool report_leaks = false;            // list the fibers that are alive when run() returns, by start site
};

// The options of one fiber, as the first argument of go().
struct fiber_options {
  std::string name = {};        // shown in dumps
  std::size_t stack_size = 0;   // bytes, 16 KiB to 1 GiB; 0: options::stack_size
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

template <class F>
inline constexpr bool is_std_function = false;
template <class S>
inline constexpr bool is_std_function<std::function<S>> = true;

// Ends the process: "fatal error: go of a null function".
[[noreturn]] void go_of_null(const void* site);

// Only a pointer or a std::function can be null: other callables need no code.
template <class F>
[[gnu::always_inline]] inline void check_not_null(const F& f) {
  if constexpr (!std::is_function_v<F> && (std::is_pointer_v<F> || std::is_member_pointer_v<F> || is_std_function<F>)) {
    if (!f) [[unlikely]]
      go_of_null(code_address());
  }
}
}  // namespace detail

// Runs `main_fiber`, which takes nothing and returns void or int, as the first fiber of a new
// world, on the calling thread and on threads that run() starts. Returns its result, or 0, when it
// returns. Other fibers are abandoned then. Fibers that wait or are queued run no user code any
// more; one that computes, or is in a blocking call, stops at its next call into weft, which may be
// after run() has returned. They may still run while main_fiber's variables are destroyed, so
// main_fiber waits for the fibers that use them. At most
// maxprocs fibers compute at the same time. A fiber in a blocking call keeps its thread, and other
// fibers run on other threads. A fiber that computes beyond its time slice keeps its thread, and
// the threads of all fibers that compute share as many CPUs as there are Ps. Blocks the caller. May
// be called again afterwards. Throws weft::panic in a fiber, while a world runs, and for bad
// options.
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

// Starts a fiber that calls f(args...). f and args are decay-copied before go() returns. Never
// blocks. From fibers, and from plain threads while a world runs; throws weft::panic otherwise. An
// exception that leaves f ends the process, as a panic does in Go. A null function pointer, member
// pointer or std::function ends the process with a fatal error that names the go statement. Go's go
// statement.
template <detail::callable_or_method F, class... Args>
[[gnu::always_inline]] inline void go(F&& f, Args&&... args) {
  detail::check_not_null(f);
  using bound = decltype(detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
  if constexpr (sizeof...(Args) == 0)
    detail::spawn<detail::plain_record<bound>>(detail::code_address(), std::forward<F>(f));
  else
    detail::spawn<detail::plain_record<bound>>(detail::code_address(),
                                               detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
}

// As go(f, args...), with a name or a stack size for this fiber. Throws weft::panic if the stack
// size is out of range.
template <class F, class... Args>
[[gnu::always_inline]] inline void go(fiber_options o, F&& f, Args&&... args) {
  detail::check_stack_size(o.stack_size);
  detail::check_not_null(f);
  using bound = decltype(detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
  detail::spawn<detail::named_record<bound>>(detail::code_address(),
                                             detail::spawn_extras{std::move(o.name), o.stack_size},
                                             detail::bind_call(std::forward<F>(f), std::forward<Args>(args)...));
}

// Lets the other runnable fibers run first, and returns when the calling fiber runs again. On a
// plain thread calls sched_yield(). Go's runtime.Gosched.
void yield();

// Ends the calling fiber: unwinds its stack and runs destructors. A catch (...) on the stack must
// rethrow. Throws weft::panic on a plain thread. Go's runtime.Goexit.
[[noreturn]] void goexit();

// Sets the number of Ps if n > 0; n < 1 only queries. Returns the number before. Go's
// runtime.GOMAXPROCS. Throws weft::panic if n is more than 1024, and for n > 0 without a world or
// on a plain thread. A query may come from any thread. A surplus P is released when its fiber next
// parks, yields or ends.
int maxprocs(int n = 0);

// Returns the number of CPUs in the process's affinity mask. From anywhere; never blocks. Go's
// runtime.NumCPU.
int num_cpu();

// Returns the number of fibers that have not ended, the main fiber included; 0 if no world runs.
// From anywhere; never blocks. Go's runtime.NumGoroutine.
std::size_t num_fibers();

// Binds the calling fiber to its OS thread: it runs on no other thread, and no other fiber runs on
// this one, until unlock_os_thread() has been called as often. If a bound fiber ends, its thread
// ends. Never blocks. Throws weft::panic on a plain thread. Go's runtime.LockOSThread.
void lock_os_thread();
// Undoes one lock_os_thread(). Does nothing if there is none. Never blocks. Throws weft::panic on a
// plain thread. Go's runtime.UnlockOSThread.
void unlock_os_thread();

namespace this_fiber {
// Returns the id of the calling fiber: 1 for the main fiber, 0 on a plain thread. Ids are never
// reused in a world.
std::uint64_t id();
// Returns the name that was given to go(), else an empty text. Valid while the fiber lives.
std::string_view name();
}  // namespace this_fiber

// Writes every fiber to `out`: id, name, state, wait reason and time, start site, stack. Writes
// nothing if no world runs. From fibers and plain threads, not from signal handlers. Go's
// runtime.Stack with all set.
void dump_fibers(std::FILE* out);

// The stack use of the fibers that one go statement has started.
struct stack_use {
  std::string started_at;  // "function file:line"
  std::uint64_t fibers = 0;  // number of fibers, live ones included
  std::size_t most = 0;  // bytes that the deepest of them has touched, in whole pages, including the fiber's record
  std::size_t size = 0;  // bytes of its stack
};

// Counters since the world began.
struct runtime_stats {
  std::uint64_t spawned = 0;  // fibers started
  std::uint64_t finished = 0;  // fibers ended
  std::uint64_t switches = 0;  // times a P began to run a fiber
  std::uint64_t adopted = 0;  // of those: fibers that began on the stack of a fiber that had just ended
  std::uint64_t steals = 0;  // times a P took fibers from another P
  std::uint64_t stolen = 0;  // fibers taken that way
  std::uint64_t wakeups = 0;  // times an idle M was woken
  std::uint64_t handoffs = 0;  // Ps that a blocked M has handed off
  std::uint64_t timers_fired = 0;
  std::uint64_t threads = 0;  // OS threads that run fibers or wait for one
  std::vector<stack_use> stacks;  // deepest first; only with WEFT_DEBUG=stacks, which slows down the end of fibers
};
// Returns the counters of the running world; all are 0 if there is none. The counters are read one
// after another while the world runs, so they are not of exactly one moment. From anywhere but a
// signal handler; never blocks.
runtime_stats stats();

namespace detail {
// Thrown by goexit(). Not derived from std::exception, so that only a catch (...) can catch it.
struct goexit_signal {};
// For a catch (...) that keeps what it catches. Returns the exception, or null for one that C++
// does not own, to be thrown again. In a fiber that one is what pthread_exit or pthread_cancel
// throws, and ends the process.
std::exception_ptr caught_exception();
// Returns false for a caller that is no fiber, also inside another call: there is nothing to end.
bool begin_blocking();
void end_blocking() noexcept;
}  // namespace detail

// Runs f, which may block its OS thread, and returns its result. The P is handed off first, so
// other fibers keep running. Without blocking() they stall for a few milliseconds, until the
// monitor retakes the P. Inside f the thread counts as a plain thread: this_fiber::id() is 0, and
// weft's calls block the thread. Waits for a P after f. On a plain thread, and inside another
// blocking(), it only calls f. Rethrows what f throws.
template <class F>
auto blocking(F&& f) {
  struct end {
    const bool due;
    ~end() {
      if (due) detail::end_blocking();
    }
  } at_end{detail::begin_blocking()};
  return std::forward<F>(f)();
}

}  // namespace weft
