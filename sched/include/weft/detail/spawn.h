// From a `go` statement to the scheduler: a small record that contains the closure.
//
// A fiber that has not run needs no stack, so `go` makes none: it writes the closure into a
// record from the P's free list and queues that. The record lives until the closure has returned.
#pragma once
#include <weft/detail/requirements.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace weft::detail {

// An element of a run queue: a G that has a stack, or a spawn record that has none yet.
struct runnable {
  runnable* next = nullptr;  // linked by the thread that holds it
  bool started = false;      // a G
  std::uint8_t flags = 0;    // G: g_flag; spawn record: record_flag
  std::uint16_t size_class = 0;  // spawn record: its free list
};

enum record_flag : std::uint8_t { has_extras = 1 };

struct spawn_record : runnable {
  void (*invoke)(spawn_record*) = nullptr;  // calls the closure and destroys it
  std::uint64_t id = 0;
  const void* site = nullptr;  // code address of the go statement
};

// The part of a record that only fibers with options have. Stands before the closure if has_extras.
struct spawn_extras {
  std::string name;
  std::size_t stack_size = 0;  // 0: the world's default
};

template <class F>
struct plain_record : spawn_record {
  F f;
  template <class A>
  explicit plain_record(A&& a) : f(std::forward<A>(a)) {
    invoke = [](spawn_record* r) {
      auto* self = static_cast<plain_record*>(r);
      struct destroy_f {
        F& f;
        ~destroy_f() { f.~F(); }
      } destroy{self->f};
      std::move(self->f)();
    };
  }
  // Destroys what invoke would destroy.
  void abandon() noexcept { f.~F(); }
  ~plain_record() = delete;  // invoke destroys the closure, the record goes to the free list
};

template <class F>
struct named_record : spawn_record {
  spawn_extras extras;
  F f;
  template <class A>
  named_record(spawn_extras e, A&& a) : extras(std::move(e)), f(std::forward<A>(a)) {
    flags = has_extras;
    invoke = [](spawn_record* r) {
      auto* self = static_cast<named_record*>(r);
      struct destroy_f {
        F& f;
        ~destroy_f() { f.~F(); }
      } destroy{self->f};
      std::move(self->f)();
    };
  }
  void abandon() noexcept {
    f.~F();
    extras.~spawn_extras();
  }
  ~named_record() = delete;
};

// Memory for a record of `size` bytes. Throws weft::panic outside a running world. So does submit()
// by a plain thread whose world has ended in between.
void* allocate_record(std::size_t size);
void free_record_memory(void* at, std::size_t size) noexcept;  // of a record never constructed

// Queues a finished record: next on this P, or globally from a plain thread.
void submit(spawn_record* r, std::size_t size, const void* site);

// Throws weft::panic with the value in its text unless it is 0 or a possible stack size.
void check_stack_size(std::size_t size);

// Returns an address inside the caller's caller, as far as inlining permits: the place of `go` in
// the source.
[[gnu::always_inline]] inline const void* code_address() noexcept {
#if defined(__x86_64__)
  const void* here;
  asm("lea 0(%%rip), %0" : "=r"(here));
  return here;
#else
  return __builtin_return_address(0);
#endif
}

template <class Record, class... A>
void spawn(const void* site, A&&... a) {
  static_assert(alignof(Record) <= alignof(std::max_align_t), "over-aligned closures cannot be spawned");
  void* at = allocate_record(sizeof(Record));
  Record* r;
  try {
    r = ::new (at) Record(std::forward<A>(a)...);
  } catch (...) {
    free_record_memory(at, sizeof(Record));
    throw;
  }
  try {
    submit(r, sizeof(Record), site);
  } catch (...) {
    r->abandon();
    free_record_memory(at, sizeof(Record));
    throw;
  }
}

}  // namespace weft::detail
