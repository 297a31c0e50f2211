// The state of one schedule, which memory.cc and engine.cc share.
#pragma once
#include <array>
#include <vector>

#include "tests/models/engine.h"
#include "tests/models/relacy.h"

namespace models {

template <class T>
using untracked_vector = std::vector<T, rl::raw_allocator<T>>;

using relacy_variable = rl::atomic_data_impl<max_threads>;

// Of a variable. Relacy says which of the last values a load may return; the values are here.
struct history {
  relacy_variable* order;
  std::uint64_t newest;
  std::array<std::uint64_t, rl::atomic_history_size> values;
  unsigned newest_at;
  // The event of each value's store, if that was seq_cst; else 0.
  std::array<std::uint64_t, rl::atomic_history_size> seq_cst_at;
  // settings::ordered_reads: when each thread last read it for a compare-exchange that succeeded.
  std::array<rl::timestamp_t, max_threads> read_at;
};

// A relaxed store that is not in memory yet, or a store that a planted bug delays.
struct delayed_store {
  variable* at;
  std::uint64_t value;
  std::memory_order order;
  const char* function;
};

struct pending_read {
  std::uint32_t variable;
  rl::timestamp_t at;
};

struct thread_state {
  rl::thread_info_base* in_relacy;
  untracked_vector<delayed_store> buffer;
  delayed_store late{};  // by fault::late
  unsigned late_by = 0;  // operations of its thread until it happens
  untracked_vector<pending_read> reads;
  std::uint64_t fenced_at;  // the event of its last seq_cst fence
};

struct schedule {
  static constexpr std::size_t most_variables = 1 << 14, most_data = 512;

  scenario* of = nullptr;
  settings how;
  std::uint32_t number = 0;  // never repeats
  bool runs = false;
  std::array<history, most_variables> variables;  // the first is not used
  std::array<rl::var_data*, most_data> data;      // the first is not used
  std::size_t variables_used = 1, data_used = 1;
  std::array<thread_state, max_threads> threads;
  int awake = 0, asleep = 0;
  unsigned run_length = 1;     // steps of a thread before another is chosen, on average
  bool delays_stores = false;
  std::size_t delayed = 0;     // stores in the buffers of all threads
  std::uint64_t events = 0;    // seq_cst stores and fences
  int planted_reached = 0;
  bool checks = false;         // scenario::at_rest() looks at the state: without the planted bug

  // Of all schedules of one explore().
  bool ever_reached = false;
  std::uint64_t steps = 0;
  std::array<char, 256> failure;
};
inline schedule now;

inline rl::context& relacy() noexcept { return rl::ctx(); }
inline thread_state& caller() noexcept { return now.threads[static_cast<std::size_t>(this_thread())]; }
inline rl::debug_info place(const char* function) { return {function, "", 0}; }

// A line of the story.
struct story_event {
  const char* what;
  std::uint32_t variable;  // 0: none
  std::uint64_t value;
  const char* remark;

  void output(std::ostream& to) const {
    to << what;
    if (variable != 0) to << " v" << variable << " " << static_cast<std::int64_t>(value);
    to << remark;
  }
};
inline void note_event(const char* function, const char* what, std::uint32_t variable = 0, std::uint64_t value = 0,
                       const char* remark = "") {
  rl::context& c = relacy();
  if (c.collecting_history()) c.exec_log(place(function), story_event{what, variable, value, remark});
}

// ---- memory.cc -----------------------------------------------------------------------------
history& history_of(variable& v) noexcept;
// Before each operation: another thread may run.
void step() noexcept;
void full_fence() noexcept;
// The caller's delayed stores, or those of all threads, are in memory from here on.
void commit_own() noexcept;
void commit_everything() noexcept;

}  // namespace models
