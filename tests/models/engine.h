// Runs a scenario of a few threads through many schedules with the memory model of C++, by Relacy.
//
// Each operation on an atomic variable is a step. Before each step any thread may be the next to
// run, and a load may return any of the last three values that the memory model allows. Relacy
// (https://github.com/dvyukov/relacy) keeps these values and decides which of them are allowed.
//
// A bug can be planted: one operation gets a weaker ordering, is left out, or happens too late. The
// sources under test stay as they are: each operation arrives here with the name of the function
// that contains it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <utility>

namespace models {

inline constexpr int max_threads = 5;

// An atomic variable: its value when a schedule begins, and its history in the current schedule.
struct variable {
  std::uint64_t first = 0;
  std::uint32_t schedule = 0;  // the schedule that `history` belongs to
  std::uint32_t history = 0;
};

// False outside of a schedule, where an atomic variable is a plain one.
bool running() noexcept;

// ---- operations; `function` contains them ------------------------------------------------
std::uint64_t load(variable& v, std::memory_order order, const char* function) noexcept;
void store(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept;
std::uint64_t exchange(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept;
std::uint64_t add(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept;
std::uint64_t bit_and(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept;
std::uint64_t bit_or(variable& v, std::uint64_t value, std::memory_order order, const char* function) noexcept;
bool compare_exchange(variable& v, std::uint64_t& expected, std::uint64_t value, std::memory_order success,
                      std::memory_order failure, bool may_fail, const char* function) noexcept;
void fence(std::memory_order order, const char* function) noexcept;
// membarrier(2): every thread has a full fence at this step. In the kernel each thread has it at
// some instant during the call. The caller does nothing else in the call, so for a caller and one
// other thread that is the same. What two other threads do to each other in between is not covered.
void fence_on_every_thread() noexcept;

// As futex(2), which is a full fence, or as a computation without one. Returns when `v` is not
// `expected` or another thread has called wake(), which is a full fence.
enum class sleep : std::uint8_t { in_kernel, computing };
void wait_while(variable& v, std::uint64_t expected, sleep how = sleep::in_kernel);
void wake(variable& v, int count) noexcept;
// Another thread may run. For the body of a busy wait.
void yield() noexcept;

// ---- what a scenario uses ------------------------------------------------------------------
int this_thread() noexcept;
// A choice from 0 to n - 1, part of the schedule.
unsigned choose(unsigned n) noexcept;
// Ends the schedule as a failed one.
[[noreturn]] void fail(const char* what) noexcept;
inline void require(bool what, const char* text) noexcept {
  if (!what) fail(text);
}

// Data that is not atomic: two accesses without order between them, one of them a write, fail the
// schedule.
class data {
 public:
  void write() noexcept { access(true); }
  void read() noexcept { access(false); }

 private:
  void access(bool writes) noexcept;
  std::uint32_t schedule_ = 0, index_ = 0;
};

// An object that a schedule makes and ends. After a failed schedule it is not destroyed: Relacy has
// released its memory.
template <class T>
class per_schedule {
 public:
  template <class... A>
  T& make(A&&... a) {
    return *::new (static_cast<void*>(&room_)) T(std::forward<A>(a)...);
  }
  void end() noexcept { get()->~T(); }
  T* get() noexcept { return std::launder(reinterpret_cast<T*>(&room_)); }
  T& operator*() noexcept { return *get(); }
  T* operator->() noexcept { return get(); }

 private:
  alignas(T) std::byte room_[sizeof(T)];
};

class scenario {
 public:
  virtual ~scenario() = default;
  virtual int threads() const = 0;
  // Before the first step of each schedule: makes everything new.
  virtual void before() = 0;
  virtual void thread(int i) = 0;
  // The other threads sleep or have ended, and the caller ends or is about to sleep. Loads return
  // the newest values. Returns true if the caller need not sleep. If no thread is awake after this,
  // the schedule fails as a deadlock.
  virtual bool at_rest() { return false; }
  // Every thread has ended.
  virtual void after() {}
};

// ---- planted bugs ---------------------------------------------------------------------------
enum class operation : std::uint8_t { load, store, rmw, fence, membarrier };
enum class fault : std::uint8_t {
  relaxed,  // the ordering is weakened to relaxed
  left_out, // a load returns the value from the beginning of the schedule
  late,     // a store happens up to three operations of its thread later: no compiler barrier
};
struct planted {
  const char* description;
  const char* function;  // that contains the operation
  operation what;
  fault how;
  int only = 0;          // the n-th in a schedule; 0: each
};

// What a read-modify-write orders beyond its own variable.
enum class machine : std::uint8_t {
  language,  // only what C++ promises
  x86,       // everything: it is a full fence
};

struct settings {
  std::uint64_t schedules = 10'000;
  const planted* bug = nullptr;
  machine on = machine::language;
  std::uint64_t steps = 20'000;  // a schedule with more is a livelock
  // A relaxed load before a successful compare-exchange of the same thread must be ordered before
  // each later store to that variable. Relacy's loads never return a later store, so an ordering
  // that prevents it would not be missed.
  bool ordered_reads = false;
};

struct outcome {
  std::optional<std::string> failure;  // in words
  std::uint64_t schedules = 0;         // the failed one included
  double seconds = 0;
  std::uint64_t steps = 0;             // on average
  bool reached = false;                // the planted bug's operation was executed
  std::string story;                   // of the failed schedule, a step a line
};

// The same schedules each time. Stops at the first that fails.
outcome explore(scenario& s, const settings& how);

}  // namespace models
