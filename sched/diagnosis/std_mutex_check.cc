#include "sched/diagnosis/std_mutex_check.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string_view>

#include "runtime/unwind/backtrace.h"
#include "sched/current.h"
#include "sched/m.h"
#include "sched/no_suspend.h"

namespace weft::detail {
namespace {

// Enough for the C++ library's functions between the user's and ours, also where none of them is in
// line.
constexpr std::size_t frames_kept = 12;

// What one thread holds. If it is more than fits, the rest is not seen.
struct held_list {
  struct entry {
    const void* lock;
    std::array<std::uintptr_t, frames_kept> frames;  // where it was locked; of fibers only
  };
  std::array<entry, 8> all{};
  std::size_t n = 0;
  const void* first_site = nullptr;  // of the first of them, or when there is none of the one before
  const void* outer = nullptr;       // the M's region before that
};
thread_local constinit held_list held;

// For its M, a fiber that holds one is in a region that forbids suspensions.
[[gnu::noinline]] void note_locked(const void* lock, const void* site) noexcept {
  if (held.n == held.all.size()) return;
  held_list::entry e{lock, {}};
  if (M* m = this_m(); m && m->g) {
    const frame_list frames = own_frames(frames_kept);
    std::copy_n(frames.first().begin(), frames_kept, e.frames.begin());
    if (held.n == 0) {
      held.outer = m->no_suspend_site;
      held.first_site = m->no_suspend_site = site;
    }
  }
  held.all[held.n++] = e;
}

[[gnu::noinline]] void note_unlocked(const void* lock) noexcept {
  auto* const end = held.all.data() + held.n;
  auto* const at = std::find_if(held.all.data(), end, [lock](const auto& e) { return e.lock == lock; });
  if (at == end) return;
  std::copy(at + 1, end, at);
  if (--held.n == 0)
    if (M* m = this_m(); m && m->g && m->no_suspend_site == held.first_site) end_region(m, held.outer);
}

template <class Signature>
struct watched;

// A function that locks: calls `real`, and records the lock. Relaxed: `real` is stored before any
// table leads here, and the read of a table is no C++ that could order it.
template <class... Args>
struct watched<int(void*, Args...)> {
  using function = int (*)(void*, Args...);
  template <std::atomic<function>* Real>
  static int lock(void* m, Args... args) {
    const int error = Real->load(std::memory_order_relaxed)(m, args...);
    if (error == 0) note_locked(m, __builtin_return_address(0));
    return error;
  }
  template <std::atomic<function>* Real>
  static int unlock(void* m, Args... args) {
    note_unlocked(m);
    return Real->load(std::memory_order_relaxed)(m, args...);
  }
};

using plain = int(void*);
using timed = int(void*, const timespec*);
using clocked = int(void*, clockid_t, const timespec*);

template <class Signature>
typename watched<Signature>::function real_of(const char* name) noexcept {
  return reinterpret_cast<typename watched<Signature>::function>(dlsym(RTLD_DEFAULT, name));
}

struct replacement {
  std::string_view name;
  void* with;
};

// The variable that holds the real function has to have a name: it is an argument of the template.
#define WEFT_WATCHED(signature, what, name)                                                               \
  ([]() noexcept -> replacement {                                                                         \
    static constinit std::atomic<watched<signature>::function> real{nullptr};                             \
    const auto found = real_of<signature>(#name);                                                         \
    real.store(found, std::memory_order_relaxed);                                                         \
    return {#name, found ? reinterpret_cast<void*>(&watched<signature>::template what<&real>) : nullptr}; \
  }())

const auto& replacements() noexcept {
  static const std::array all{
      WEFT_WATCHED(plain, lock, pthread_mutex_lock),           WEFT_WATCHED(plain, lock, pthread_mutex_trylock),
      WEFT_WATCHED(timed, lock, pthread_mutex_timedlock),      WEFT_WATCHED(clocked, lock, pthread_mutex_clocklock),
      WEFT_WATCHED(plain, unlock, pthread_mutex_unlock),       WEFT_WATCHED(plain, lock, pthread_rwlock_rdlock),
      WEFT_WATCHED(plain, lock, pthread_rwlock_wrlock),        WEFT_WATCHED(plain, lock, pthread_rwlock_tryrdlock),
      WEFT_WATCHED(plain, lock, pthread_rwlock_trywrlock),     WEFT_WATCHED(timed, lock, pthread_rwlock_timedrdlock),
      WEFT_WATCHED(timed, lock, pthread_rwlock_timedwrlock),   WEFT_WATCHED(clocked, lock, pthread_rwlock_clockrdlock),
      WEFT_WATCHED(clocked, lock, pthread_rwlock_clockwrlock), WEFT_WATCHED(plain, unlock, pthread_rwlock_unlock),
  };
  return all;
}

// ---- the tables of a loaded object ----------------------------------------------------------

#if defined(__x86_64__)
constexpr std::array relocations_of_calls{R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_64};
#else
constexpr std::array relocations_of_calls{R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_ABS64};
#endif

struct tables {
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Rela) * rela = nullptr;
  std::size_t rela_bytes = 0;
  const ElfW(Rela) * plt = nullptr;
  std::size_t plt_bytes = 0;
};

tables read_tables(const dl_phdr_info& object) noexcept {
  tables t;
  const ElfW(Dyn)* d = nullptr;
  for (int i = 0; i < object.dlpi_phnum; ++i)
    if (object.dlpi_phdr[i].p_type == PT_DYNAMIC)
      d = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + object.dlpi_phdr[i].p_vaddr);
  // The loader has made most of these addresses absolute, but not in every object.
  const auto at = [&object](ElfW(Addr) a) { return a < object.dlpi_addr ? object.dlpi_addr + a : a; };
  for (; d && d->d_tag != DT_NULL; ++d) switch (d->d_tag) {
      case DT_SYMTAB: t.symbols = reinterpret_cast<const ElfW(Sym)*>(at(d->d_un.d_ptr)); break;
      case DT_STRTAB: t.strings = reinterpret_cast<const char*>(at(d->d_un.d_ptr)); break;
      case DT_RELA: t.rela = reinterpret_cast<const ElfW(Rela)*>(at(d->d_un.d_ptr)); break;
      case DT_RELASZ: t.rela_bytes = d->d_un.d_val; break;
      case DT_JMPREL: t.plt = reinterpret_cast<const ElfW(Rela)*>(at(d->d_un.d_ptr)); break;
      case DT_PLTRELSZ: t.plt_bytes = d->d_un.d_val; break;
      default: break;
    }
  return t;
}

// The page may have been made read-only after the loader ended; other threads may call through it
// at the same time.
void point_at(void** place, void* function) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  auto* from = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(place) & ~(page - 1));
  if (mprotect(from, page, PROT_READ | PROT_WRITE) == 0) __atomic_store_n(place, function, __ATOMIC_RELAXED);
}

void replace_in(const dl_phdr_info& object, const tables& t, const ElfW(Rela) * from, std::size_t bytes) noexcept {
  for (const ElfW(Rela)* r = from; r && r != from + bytes / sizeof *r; ++r) {
    const auto type = static_cast<int>(ELF64_R_TYPE(r->r_info));
    if (std::find(relocations_of_calls.begin(), relocations_of_calls.end(), type) == relocations_of_calls.end())
      continue;
    const std::string_view name = t.strings + t.symbols[ELF64_R_SYM(r->r_info)].st_name;
    if (!name.starts_with("pthread_")) continue;
    for (const replacement& p : replacements())
      if (p.with && p.name == name) point_at(reinterpret_cast<void**>(object.dlpi_addr + r->r_offset), p.with);
  }
}

// The C library, the loader, the unwinder and the sanitizers lock for themselves.
bool is_left_alone(std::string_view path) noexcept {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  for (const char* prefix :
       {"linux-vdso", "ld-linux", "libc.so", "libpthread", "libgcc_s", "libasan", "libtsan", "libubsan"})
    if (file.starts_with(prefix)) return true;
  return false;
}

int replace_in_object(dl_phdr_info* object, std::size_t, void*) noexcept {
  if (is_left_alone(object->dlpi_name ? object->dlpi_name : "")) return 0;
  const tables t = read_tables(*object);
  if (!t.symbols || !t.strings) return 0;
  replace_in(*object, t, t.rela, t.rela_bytes);
  replace_in(*object, t, t.plt, t.plt_bytes);
  return 0;
}

}  // namespace

void check_std_mutexes() noexcept {
  static const int once = dl_iterate_phdr(replace_in_object, (replacements(), nullptr));
  (void)once;
}

std::vector<std::uintptr_t> std_mutex_held_since() {
  if (held.n == 0) return {};
  const auto& frames = held.all[0].frames;
  return {frames.begin(), std::find(frames.begin(), frames.end(), 0U)};
}

// A no_suspend that began while a mutex was held and ended after it was not has put the mutex' site
// back.
bool was_left_by_a_mutex(const void* site) noexcept { return held.n == 0 && site == held.first_site; }

}  // namespace weft::detail
