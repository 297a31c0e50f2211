// The operations on atomic variables.
//
// A load in Relacy may return any of the last three values that C++ allows, so a store needs no
// delay to be seen late. But Relacy's stores to one variable have the order in which they are
// executed, and a store in a CPU's buffer may also come behind a store of another CPU that is
// executed later, and undo it ([solo] C1). So in half of the schedules some relaxed stores wait in
// a buffer until an operation of their thread orders them, or a random instant before.
#include <cstring>

#include "tests/models/schedule.h"

namespace models {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

// Functions that only count, or read a clock: their variables are no part of a protocol, and would
// make schedules long.
bool is_plain(const char* function) noexcept {
  static const char* last_plain = nullptr;
  static const char* last_other = nullptr;
  if (function == last_plain) return true;
  if (function == last_other) return false;
  const bool plain = std::strcmp(function, "count") == 0 || std::strcmp(function, "set_coarse_clock") == 0;
  (plain ? last_plain : last_other) = function;
  return plain;
}

bool planted_here(operation what, fault how, const char* function) noexcept {
  const planted* b = now.checks ? nullptr : now.how.bug;
  if (!b || b->what != what || b->how != how || std::strcmp(b->function, function) != 0) return false;
  now.ever_reached = true;
  return ++now.planted_reached == b->only || b->only == 0;
}

std::memory_order weakened(std::memory_order order, operation what, const char* function) noexcept {
  return planted_here(what, fault::relaxed, function) ? relaxed : order;
}

void put(history& h, unsigned at, std::uint64_t value, std::memory_order order) noexcept {
  h.values[at] = h.newest = value;
  h.newest_at = at;
  h.seq_cst_at[at] = order == seq_cst ? ++now.events : 0;
}

// ---- settings::ordered_reads -------------------------------------------------------------------

void note_read(const variable& v, std::memory_order order) noexcept {
  if (!now.how.ordered_reads || order != relaxed) return;
  caller().reads.push_back({v.history, caller().in_relacy->own_acq_rel_order_});
}

// A compare-exchange on v has succeeded or failed.
void end_of_reads(const variable& v, bool succeeded) noexcept {
  const auto thread = static_cast<std::size_t>(this_thread());
  if (succeeded)
    for (const pending_read& r : caller().reads)
      if (r.variable != v.history) now.variables[r.variable].read_at[thread] = r.at;
  caller().reads.clear();
}

void check_reads(const history& h, const rl::thread_info_base& t) noexcept {
  for (std::size_t i = 0; i < h.read_at.size(); ++i)
    if (t.acq_rel_order_[i] < h.read_at[i]) fail("a store has no order behind a load that must not return it");
}

// ---- delayed stores ----------------------------------------------------------------------------

void commit_oldest(thread_state& t) noexcept {
  const delayed_store d = t.buffer.front();
  t.buffer.erase(t.buffer.begin());
  --now.delayed;
  history& h = history_of(*d.at);
  check_reads(h, *t.in_relacy);
  put(h, t.in_relacy->atomic_store_relaxed(h.order), d.value, relaxed);
  note_event(d.function, "delayed store", d.at->history, d.value);
}

void commit_all(thread_state& t) noexcept {
  while (!t.buffer.empty()) commit_oldest(t);
}

void commit_some() noexcept {
  constexpr unsigned seldom = 8;
  if (now.delayed == 0 || choose(seldom) != 0) return;
  std::size_t i = choose(max_threads);
  while (now.threads[i].buffer.empty()) i = (i + 1) % now.threads.size();
  commit_oldest(now.threads[i]);
}

// The caller's last store to v that is not in memory, or null.
const delayed_store* own_delayed(const variable& v) noexcept {
  const auto& b = caller().buffer;
  for (auto i = b.rbegin(); i != b.rend(); ++i)
    if (i->at == &v) return &*i;
  return nullptr;
}

void commit_before_rmw(const variable& v, std::memory_order order) noexcept {
  const bool orders = order != relaxed && order != acquire;
  if (now.how.on == machine::x86 || orders || own_delayed(v)) commit_own();
}

bool may_delay() noexcept {
  constexpr unsigned seldom = 4;
  const bool in_order = now.how.on == machine::x86 && !caller().buffer.empty();
  return now.delays_stores && (in_order || choose(seldom) == 0);
}

void store_now(const delayed_store& s) noexcept {
  step();
  history& h = history_of(*s.at);
  if (s.order == relaxed && may_delay()) {
    caller().buffer.push_back(s);
    ++now.delayed;
    note_event(s.function, "store, delayed,", s.at->history, s.value);
    return;
  }
  if (s.order != relaxed || own_delayed(*s.at)) commit_own();
  rl::thread_info_base& t = *caller().in_relacy;
  check_reads(h, t);
  put(h,
      s.order == relaxed   ? t.atomic_store_relaxed(h.order)
      : s.order == release ? t.atomic_store_release(h.order)
                           : t.atomic_store_seq_cst(h.order),
      s.value, s.order);
  note_event(s.function, "store", s.at->history, s.value);
  if (now.how.on == machine::x86 && s.order == seq_cst) full_fence();
}

// fault::late: the caller's late store happens behind the operation that this object spans or one
// of the next, but before an operation on the same variable and before a fence.
class behind_this {
 public:
  explicit behind_this(const variable* v) noexcept {
    if (caller().late.at == v) happen();
  }
  behind_this(const behind_this&) = delete;
  behind_this& operator=(const behind_this&) = delete;
  ~behind_this() {
    if (caller().late.at && --caller().late_by == 0) happen();
  }
  static void happen() noexcept {
    if (!caller().late.at) return;
    const delayed_store late = std::exchange(caller().late, {});
    store_now(late);
  }
};
constexpr unsigned latest = 3;  // operations

// ---- loads and read-modify-writes
// ----------------------------------------------------------------

// Relacy pairs seq_cst fences with each other only. C++ also promises that a load behind such a
// fence returns no value older than that of a seq_cst store before the fence.
bool too_old(const history& h, unsigned at) noexcept {
  constexpr unsigned values = rl::atomic_history_size;
  for (unsigned i = h.newest_at; i != at; i = (i + values - 1) % values)
    if (h.seq_cst_at[i] != 0 && h.seq_cst_at[i] <= caller().fenced_at) return true;
  return false;
}

unsigned load_some(const history& h, std::memory_order order) noexcept {
  rl::thread_info_base& t = *caller().in_relacy;
  return order == relaxed   ? t.atomic_load_relaxed(h.order)
         : order == acquire ? t.atomic_load_acquire(h.order)
                            : t.atomic_load_seq_cst(h.order);
}

unsigned load_newest(const history& h, std::memory_order order) noexcept {
  rl::thread_info_base& t = *caller().in_relacy;
  return order == relaxed   ? t.atomic_load_relaxed_rmw(h.order)
         : order == acquire ? t.atomic_load_acquire_rmw(h.order)
                            : t.atomic_load_seq_cst_rmw(h.order);
}

void modify(history& h, std::uint64_t value, std::memory_order order) noexcept {
  rl::thread_info_base& t = *caller().in_relacy;
  bool aba = false;
  if (now.how.on == machine::x86) full_fence();
  put(h,
      order == relaxed   ? t.atomic_rmw_relaxed(h.order, aba)
      : order == acquire ? t.atomic_rmw_acquire(h.order, aba)
      : order == release ? t.atomic_rmw_release(h.order, aba)
      : order == acq_rel ? t.atomic_rmw_acq_rel(h.order, aba)
                         : t.atomic_rmw_seq_cst(h.order, aba),
      value, order);
  if (now.how.on == machine::x86) full_fence();
}

template <class F>
std::uint64_t rmw(variable& v, std::memory_order order, const char* function, const char* what, F f) noexcept {
  if (!now.runs || is_plain(function)) return std::exchange(v.first, f(v.first));
  const behind_this late(&v);
  order = weakened(order, operation::rmw, function);
  step();
  commit_before_rmw(v, order);
  history& h = history_of(v);
  const std::uint64_t before = h.newest;
  modify(h, f(before), order);
  note_event(function, what, v.history, h.newest);
  return before;
}

}  // namespace

history& history_of(variable& v) noexcept {
  if (v.schedule == now.number) return now.variables[v.history];
  if (now.variables_used == now.variables.size()) fail("the engine has no room for another variable");
  v.schedule = now.number;
  v.history = static_cast<std::uint32_t>(now.variables_used++);
  history& h = now.variables[v.history];
  h.order = static_cast<relacy_variable*>(relacy().atomic_ctor(&v));
  const unsigned at = relacy().threadx_->atomic_init(h.order);
  for (auto& seen : h.order->history_[at].first_seen_order_) seen = static_cast<rl::timestamp_t>(-1);
  h.values[at] = h.newest = v.first;
  h.newest_at = at;
  h.seq_cst_at = {};
  h.read_at = {};
  return h;
}

// Threads change at each step in some schedules, and in others after a number of steps that one
// thread needs to pass another that has stopped in the middle of a protocol.
void step() noexcept {
  ++now.steps;
  rl::context& c = relacy();
  const bool same_thread = now.run_length > 1 && choose(now.run_length) != 0;
  if (same_thread) c.disable_preemption();
  c.sched();
  if (same_thread) c.enable_preemption();
  commit_some();
}

// Not Relacy's: after that a thread loads no older value that it has loaded before.
void yield() noexcept {
  ++now.steps;
  relacy().sched();
  commit_some();
}

void commit_own() noexcept { commit_all(caller()); }
void commit_everything() noexcept {
  for (thread_state& t : now.threads) commit_all(t);
}

void full_fence() noexcept {
  rl::context& c = relacy();
  commit_own();
  caller().fenced_at = ++now.events;
  c.disable_preemption();
  c.atomic_thread_fence_seq_cst();
  c.enable_preemption();
}

std::uint64_t load(variable& v, std::memory_order order, const char* function) noexcept {
  if (!now.runs || is_plain(function)) return v.first;
  if (planted_here(operation::load, fault::left_out, function)) return v.first;
  const behind_this late(&v);
  order = weakened(order, operation::load, function);
  step();
  if (const delayed_store* own = own_delayed(v)) return own->value;
  history& h = history_of(v);
  unsigned at = load_some(h, order);
  if (too_old(h, at)) at = load_newest(h, order);
  note_read(v, order);
  note_event(function, "load", v.history, h.values[at], h.values[at] == h.newest ? "" : " (an older value)");
  return h.values[at];
}

void store(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept {
  if (!now.runs || is_plain(function)) {
    v.first = value;
    return;
  }
  if (planted_here(operation::store, fault::left_out, function)) return;
  if (planted_here(operation::store, fault::late, function)) {
    behind_this::happen();
    caller().late = {&v, value, order, function};
    caller().late_by = 1 + choose(latest);
    return;
  }
  const behind_this late(&v);
  store_now({&v, value, weakened(order, operation::store, function), function});
}

std::uint64_t exchange(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept {
  return rmw(v, order, function, "exchange", [value](std::uint64_t) { return value; });
}
std::uint64_t add(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept {
  return rmw(v, order, function, "add", [value](std::uint64_t before) { return before + value; });
}
std::uint64_t bit_and(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept {
  return rmw(v, order, function, "and", [value](std::uint64_t before) { return before & value; });
}
std::uint64_t bit_or(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept {
  return rmw(v, order, function, "or", [value](std::uint64_t before) { return before | value; });
}

bool compare_exchange(variable& v, std::uint64_t& expected, std::uint64_t value, std::memory_order success,
                      std::memory_order failure, bool may_fail, const char* function) noexcept {
  if (!now.runs) {
    const bool same = v.first == expected;
    (same ? v.first : expected) = same ? value : v.first;
    return same;
  }
  const behind_this late(&v);
  success = weakened(success, operation::rmw, function);
  step();
  commit_before_rmw(v, success);
  history& h = history_of(v);
  constexpr unsigned seldom = 4;
  const bool same = h.newest == expected && !(may_fail && choose(seldom) == 0);
  if (same) {
    modify(h, value, success);
  } else {
    if (now.how.on == machine::x86) full_fence();
    load_newest(h, failure);
    expected = h.newest;
  }
  end_of_reads(v, same);
  note_event(function, "compare-exchange", v.history, h.newest, same ? "" : " (failed)");
  return same;
}

void fence(std::memory_order order, const char* function) noexcept {
  if (!now.runs || planted_here(operation::fence, fault::left_out, function)) return;
  behind_this::happen();
  step();
  if (order == acquire) relacy().atomic_thread_fence_acquire();
  else full_fence();
  note_event(function, "fence");
}

void fence_on_every_thread() noexcept {
  if (planted_here(operation::membarrier, fault::left_out, "")) return;
  behind_this::happen();
  step();
  commit_everything();
  relacy().rl_global_fence();
  note_event("", "membarrier");
}

}  // namespace models
