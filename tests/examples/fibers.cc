// Fibers: starting and ending them, their threads, stacks and variables.
#include <unistd.h>
#include <weft/chan.h>
#include <weft/errors.h>
#include <weft/fiber_local.h>
#include <weft/go.h>
#include <weft/no_suspend.h>
#include <weft/wait_group.h>
#include <weft/with_stack.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>

#include "tests/examples/examples.h"

namespace {

// run starts a world with a first fiber, and returns when that fiber does.
void run() {
  const int status = weft::run(weft::options{.maxprocs = 2, .poller = weft::poller_kind::epoll}, [] {
    std::printf("%d Ps, %zu fiber\n", weft::maxprocs(), weft::num_fibers());
    return 3;
  });
  std::printf("%d\n", status);
}
// Prints:
// 2 Ps, 1 fiber
// 3

// go starts a fiber. It copies the function and its arguments before it returns.
void go() {
  auto words = weft::make_chan<std::string>();
  const auto greet = [words](const std::string& whom) { words.send("hello " + whom); };
  weft::go(greet, "world");
  std::puts(words.recv()->c_str());
}
// Prints:
// hello world

// A fiber may have a name, which dumps show, and a stack of another size.
void go_with_options() {
  auto names = weft::make_chan<std::string>();
  weft::go(weft::fiber_options{.name = "worker", .stack_size = 64 << 10},
           [=] { names.send(std::string(weft::this_fiber::name())); });
  std::printf("the main fiber has the id %d, the other the name %s\n", static_cast<int>(weft::this_fiber::id()),
              names.recv()->c_str());
}
// Prints:
// the main fiber has the id 1, the other the name worker

// yield lets other fibers run: a loop that waits for a flag needs it.
void yield() {
  auto ready = std::make_shared<std::atomic<bool>>(false);
  weft::go([ready] { *ready = true; });
  while (!*ready) weft::yield();
  std::puts("the other fiber has run");
}
// Prints:
// the other fiber has run

// goexit ends the calling fiber from any depth, and runs destructors.
void goexit() {
  weft::wait_group group;
  group.go([] {
    struct clean_up {
      ~clean_up() { std::puts("destructor"); }
    } at_end;
    weft::goexit();
  });
  group.wait();
  std::puts("the fiber has ended");
}
// Prints:
// destructor
// the fiber has ended

// maxprocs sets the number of Ps, and returns the number before. num_cpu is the number of CPUs that
// the process may use.
void maxprocs() {
  if (weft::num_cpu() >= 1) std::puts("a CPU or more");
  const int before = weft::maxprocs(3);
  std::printf("%d\n", weft::maxprocs());
  weft::maxprocs(before);
}
// Prints:
// a CPU or more
// 3

// A call that blocks its thread, without holding up other fibers.
void blocking() {
  const int n = weft::blocking([] {
    ::usleep(1000);  // a library without a notion of fibers
    return 42;
  });
  std::printf("%d\n", n);
}
// Prints:
// 42

// A library that keeps its state in a thread needs a fiber that stays on one.
void lock_os_thread() {
  weft::lock_os_thread();
  const auto before = ::gettid();
  for (int i = 0; i < 10; ++i) weft::yield();
  if (::gettid() == before) std::puts("the same thread");
  weft::unlock_os_thread();
}
// Prints:
// the same thread

// One call on a larger stack: 1 MiB of local variables do not fit a fiber's stack of 256 KiB.
void with_stack() {
  const std::size_t n = weft::with_stack(2 << 20, [] {
    std::array<char, 1 << 20> large{};
    std::snprintf(large.data(), large.size(), "on a larger stack");
    std::puts(large.data());
    return large.size();
  });
  std::printf("%zu\n", n);
}
// Prints:
// on a larger stack
// 1048576

// While a std::mutex is held, a suspension would stop a thread. In this region it ends the process
// with both places.
void no_suspend() {
  auto events = weft::make_chan<int>(1);
  std::mutex plain;
  {
    const std::lock_guard hold(plain);
    const weft::no_suspend region;
    events.try_send(1);  // never suspends; send() could
  }
  std::printf("%d\n", *events.recv());
}
// Prints:
// 1

// A variable with one value for each fiber.
weft::fiber_local<std::string> request;
void fiber_local() {
  *request = "of the first fiber";
  weft::wait_group group;
  group.go([] {
    std::printf("\"%s\"\n", request->c_str());
    *request = "of the second fiber";
  });
  group.wait();
  std::puts(request->c_str());
}
// Prints:
// ""
// of the first fiber

// Misuse throws weft::panic. A panic that leaves its fiber ends the process.
void panic() {
  auto numbers = weft::make_chan<int>(1);
  numbers.close();
  try {
    numbers.send(1);
  } catch (const weft::panic& p) {
    std::puts(p.what());
  }
}
// Prints:
// send on closed channel

// An expected failure is a value: an error to compare, or an exception by unwrap.
weft::result<int> half_of(int n) {
  if (n % 2 != 0) return {0, make_error_code(std::errc::invalid_argument)};
  return {n / 2, {}};
}
void result() {
  std::printf("%d\n", half_of(84).unwrap());
  const auto [n, err] = half_of(7);
  if (err == std::errc::invalid_argument) std::puts(err.message().c_str());
  try {
    (void)half_of(7).unwrap();
  } catch (const std::system_error& e) {
    if (e.code() == err) std::puts("the same error, thrown");
  }
}
// Prints:
// 42
// Invalid argument
// the same error, thrown

const examples::group fibers({
    {"run", run, examples::where::alone},
    {"go", go},
    {"go_with_options", go_with_options},
    {"yield", yield},
    {"goexit", goexit},
    {"maxprocs", maxprocs},
    {"blocking", blocking},
    {"lock_os_thread", lock_os_thread},
    {"with_stack", with_stack},
    {"no_suspend", no_suspend},
    {"fiber_local", fiber_local},
    {"panic", panic},
    {"result", result},
});

}  // namespace
