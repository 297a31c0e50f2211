// The thread for work that a signal handler must not do: it allocates, symbolises and prints.
//
// A handler runs at any point of the program, perhaps inside malloc, so it only records its facts
// and hands them over. The first run() starts the thread, which sleeps until a signal arrives.
// Refused: printing from the handler (it can deadlock with itself); starting a thread when it is
// needed (a handler must not call clone either).
#pragma once
#include <atomic>
#include <cstdint>

namespace weft::detail {

// Work for the reporter. Lies in static storage: the handler may have stopped waiting for it.
struct report_job {
  void (*work)(report_job&);
  std::atomic<std::uint32_t> done{0};  // futex
};

// Starts the thread unless this process has one. From run() only.
void start_reporter() noexcept;

// Returns when no job is under way. From run(), when no handler can submit another.
void wait_for_idle_reporter() noexcept;

// Both safe in signal handlers. Returns false if this process has no reporter, or if it has a job
// already.
bool hand_to_reporter(report_job& job) noexcept;
// Waits until the job is done, at most that long.
bool wait_for_reporter(report_job& job, std::int64_t patience_ns) noexcept;

}  // namespace weft::detail
