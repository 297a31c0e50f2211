#include "sched/diagnosis/fiber_list.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "runtime/borrowed_stacks.h"
#include "runtime/unwind/cfi_rules.h"
#include "sched/coarse_clock.h"
#include "sched/current.h"
#include "sched/diagnosis/wait_cycles.h"
#include "sched/g.h"

namespace weft::detail {
namespace {

static_assert(std::is_trivially_copyable_v<spawn_record> && std::is_trivially_copyable_v<runnable>);

// Reads memory that may no longer be mapped. The raw call: sanitizers must not check it either.
bool peek(const void* from, void* to, std::size_t size) noexcept {
  const iovec local{to, size}, remote{const_cast<void*>(from), size};
  return syscall(SYS_process_vm_readv, getpid(), &local, 1UL, &remote, 1UL, 0UL) == static_cast<long>(size);
}

// A std::string of libstdc++ begins with its data and its size. Other libraries' strings are not
// read.
std::string peek_string([[maybe_unused]] const std::byte* copy) {
  std::string text;
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
  constexpr std::size_t longest = 200;
  struct {
    const char* data;
    std::size_t size;
  } head;
  std::memcpy(&head, copy, sizeof head);
  text.resize(std::min(head.size, longest));
  if (!text.empty() && !peek(head.data, text.data(), text.size())) text.clear();
#endif
  return text;
}

// Name, id and site of a record that may have been freed.
bool peek_record(const spawn_record* r, fiber_view& f) {
  spawn_record copy;
  if (!r || !peek(r, &copy, sizeof copy)) return false;
  f.id = copy.id;
  f.site = copy.site;
  if (!(copy.flags & has_extras)) return true;
  alignas(spawn_extras) std::byte extras[sizeof(spawn_extras)];  // its string must not be touched as one
  if (peek(extras_of_named(r), extras, sizeof extras)) f.name = peek_string(extras + offsetof(spawn_extras, name));
  return true;
}

struct g_copy {
  g_state state;
  wait_reason reason;
  std::uint8_t flags;
  std::uint32_t thread_locks;
  std::uint64_t id;
  const void* site;
  const spawn_record* record;
  std::uint32_t parked_at;
  const holder* waits_on;
  void* sp;

  bool operator==(const g_copy&) const = default;
};

// Field by field, as they are at this moment. Not by the atomics' own loads, which are functions
// that a sanitizer watches: a G that has just been made is still a plain object to it.
template <class T>
[[gnu::noinline]] WEFT_NO_SANITIZE T raw(const std::atomic<T>& a) noexcept {
  static_assert(sizeof(T) == sizeof a);
  T v;
  __atomic_load(reinterpret_cast<const T*>(&a), &v, __ATOMIC_RELAXED);
  return v;
}
[[gnu::noinline]] WEFT_NO_SANITIZE g_copy look_at(const volatile G& g, const G& atomics) noexcept {
  return {raw(atomics.state), raw(atomics.reason),          g.flags,    g.thread_locks, g.id, g.site,
          g.record,           raw(atomics.context.left_at), g.waits_on, g.context.at.sp};
}

bool off_its_stack(g_state s) noexcept { return s == g_state::parked || s == g_state::runnable; }

// The world's coarse clock may be a little ahead, and its seconds wrap.
std::int64_t seconds_since(std::uint32_t then, std::uint32_t now) noexcept {
  const std::uint32_t s = now - then;
  return s < UINT32_MAX / 2 ? s : 0;
}

struct collection {
  std::vector<fiber_view> all;
  std::vector<std::byte> buffer;
  const G* own = nullptr;
  std::uint32_t now_s = 0;
  with_frames wanted = with_frames::yes;
};

void view(const stack& where, collection& into) {
  const G& g = *g_of(where);
  const g_copy before = look_at(g, g);
  if (before.state == g_state::free || (before.flags & abandoned)) return;
  fiber_view f;
  peek_record(before.record, f);
  f.id = before.id;
  f.state = before.state;
  f.reason = before.reason;
  f.site = before.site;
  f.locked = (before.flags & locked_to_m) && before.thread_locks > 0;
  f.where = where;
  if (before.state == g_state::parked && before.waits_on) peek(before.waits_on, &f.holder_at, sizeof f.holder_at);
  if (before.state == g_state::parked) f.waits_s = seconds_since(before.parked_at, into.now_s);
  frame_list frames;
  if (into.wanted == with_frames::no) return into.all.push_back(std::move(f));
  if (&g == into.own) frames = own_frames();
  else if (off_its_stack(before.state))
    frames = frames_of_parked(g.context, stacks_of(where, reinterpret_cast<std::uintptr_t>(before.sp)), into.buffer);
  if (&g == into.own || look_at(g, g) == before) {
    f.frames = frames.kept();
    f.left_out = frames.left_out();
  }
  into.all.push_back(std::move(f));
}

void collect_started(collection& into) {
  for_each_arena(
      [](stack_arena& a, void* arg) { a.for_each([arg](const stack& s) { view(s, *static_cast<collection*>(arg)); }); },
      &into);
}

void add_unstarted(const runnable* r, collection& into) {
  fiber_view f;
  runnable head;
  if (!r || !peek(r, &head, sizeof head) || head.started) return;
  f.started = false;
  f.state = g_state::runnable;
  if (peek_record(static_cast<const spawn_record*>(r), f)) into.all.push_back(std::move(f));
}

void collect_unstarted(world& w, collection& into) {
  const int made = w.ps_to_look_at();  // a surplus P may have some too
  for (int i = 0; i < made; ++i) w.p_at(i)->queue.for_each_approx([&](const runnable* r) { add_unstarted(r, into); });
  const std::lock_guard hold(w.lock);
  for (const runnable* r = w.global.first(); r; r = r->next) add_unstarted(r, into);
}

[[gnu::noinline]] WEFT_NO_SANITIZE const G* fiber_on(const volatile M& m) noexcept { return m.g; }

void note_threads(world& w, std::vector<fiber_view>& all) {
  const std::lock_guard hold(w.lock);
  for (const M* m : w.all_ms) {
    const G* g = fiber_on(*m);
    if (!g) continue;
    const std::uint64_t id = look_at(*g, *g).id;
    const auto at =
        std::lower_bound(all.begin(), all.end(), id, [](const fiber_view& f, std::uint64_t i) { return f.id < i; });
    if (at != all.end() && at->id == id && !off_its_stack(at->state)) at->m = m->id;
  }
}

const char* word_for(const fiber_view& f) noexcept {
  switch (f.state) {
    case g_state::free: return "free";
    case g_state::runnable: return f.started ? "runnable" : "runnable, not run yet";
    case g_state::running: return "running";
    case g_state::parked: return to_string(f.reason);
    case g_state::blocked: return "blocking call";
  }
  return "?";
}

}  // namespace

std::vector<fiber_view> list_fibers(world& w, with_frames wanted) {
  collection c;
  c.wanted = wanted;
  M* m = this_m();
  c.own = m ? m->g : nullptr;
  c.now_s = coarse_now_s();
  // In this order: a fiber that gets its first turn at the same time is found twice rather than
  // never.
  collect_unstarted(w, c);
  collect_started(c);
  std::sort(c.all.begin(), c.all.end(),
            [](const auto& a, const auto& b) { return a.id != b.id ? a.id < b.id : a.started > b.started; });
  c.all.erase(std::unique(c.all.begin(), c.all.end(), [](const auto& a, const auto& b) { return a.id == b.id; }),
              c.all.end());
  note_threads(w, c.all);
  name_holders(c.all);
  if (w.ancestors)
    for (fiber_view& f : c.all) f.ancestors = w.ancestors->of(f.id);
  return c.all;
}

fiber_stacks stacks_of(const stack& where, std::uintptr_t sp) noexcept {
  const stack_image own{reinterpret_cast<std::uintptr_t>(where.bottom), reinterpret_cast<std::uintptr_t>(g_of(where)),
                        where.bottom};
  if (sp >= own.low && sp < own.high) return {own, {}};
  const stack borrowed = borrowed_stack_at(sp);
  if (!borrowed.arena) return {own, {}};
  const auto low = reinterpret_cast<std::uintptr_t>(borrowed.bottom);
  return {{low, low + borrowed.size(), borrowed.bottom}, own};
}

std::string describe_state(const fiber_view& f) {
  std::string text = word_for(f);
  if (f.waits_s >= 60) text += fmt::format(", {} minute{}", f.waits_s / 60, f.waits_s < 120 ? "" : "s");
  if (f.locked) text += ", locked to thread";
  return text;
}

}  // namespace weft::detail
