// The thread that does what a signal handler must not: it allocates, symbolises and prints.
//
// A handler runs wherever the signal has hit, perhaps inside malloc, so it only notes what it sees and
// hands that over. The thread is started by the first run() and sleeps until a signal comes.
// Refused: printing from the handler (it can deadlock with itself); a thread made when it is
// needed (clone is no call for handlers either).
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
// 1 if there is one. For counting threads.
int reporter_threads() noexcept;

// Returns when no job is under way. From run(), when no handler can hand in another.
void let_reporter_finish() noexcept;

// Both safe in signal handlers. False if there is no reporter in this process, or if it has a job already.
bool hand_to_reporter(report_job& job) noexcept;
// Waits until the job is done, at most so long.
bool wait_for_reporter(report_job& job, std::int64_t patience_ns) noexcept;

}  // namespace weft::detail
