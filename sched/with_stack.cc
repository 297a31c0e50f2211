#include <weft/go.h>
#include <weft/with_stack.h>

#include <exception>

#include "runtime/borrowed_stacks.h"
#include "runtime/call_on_stack.h"
#include "runtime/sanitizer.h"
#include "sched/current.h"
#include "sched/g.h"
#include "sched/simulated.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

struct call {
  void (*f)(void*);
  void* arg;
  stack on;
  G* g;
  sanitizer_context outer{};
  std::exception_ptr thrown{};
};

#if WEFT_ASAN

// ASan must be informed of both switches, which an exception on its way through would skip: it is
// caught and thrown again.
void called(void* at) {
  auto& c = *static_cast<call*>(at);
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  try {
    c.f(c.arg);
  } catch (...) {
    c.thrown = std::current_exception();
  }
  c.g->context.sanitizer = c.outer;
  __sanitizer_start_switch_fiber(nullptr, c.outer.bottom, c.outer.size);
}

[[gnu::noinline]] void switch_and_call(call& c) {
  sanitizer_context& now = c.g->context.sanitizer;
  c.outer = now;
  now.open(c.on.bottom, c.on.size());
  unpoison(c.on.bottom, c.on.size());
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, c.on.bottom, c.on.size());
  call_on_stack(called, &c, c.on.top());
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
  if (c.thrown) std::rethrow_exception(std::move(c.thrown));
}

#else

void switch_and_call(call& c) { call_on_stack(c.f, c.arg, c.on.top()); }

#endif

}  // namespace

void call_with_stack(std::size_t bytes, void (*f)(void*), void* arg) {
  if (bytes == 0) throw panic("with_stack: stack size 0");
  check_stack_size(bytes);
  M* m = this_m();
  G* const g = m ? m->g : sim_self();
  if (!g) return f(arg);
  struct borrowed {
    stack s;
    ~borrowed() { return_stack(s); }
  } const on{borrow_stack(bytes, m ? m->w->stacks->guard_size() : options().guard_size)};
  call c{f, arg, on.s, g};
  switch_and_call(c);
}

}  // namespace weft::detail
