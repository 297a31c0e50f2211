// The begin and the end of an M on its thread.
#pragma once
#include <cstdint>

namespace weft::detail {

struct M;
struct P;
struct world;

// Whether a thread must be made, or only if the thread limit allows it.
enum class thread_need { certain, optional };
// Starts an OS thread that runs as a spinning M with `p`. At the thread limit: returns false if
// that is optional, else ends the process.
bool new_m(world& w, P* p, thread_need need);
// A new M, listed in `w` but without a thread; null at the thread limit.
M* add_m(world& w);
// The calling thread becomes m, or stops being it; m is freed then.
void begin_m(M* m);
void end_m(M* m);
// Starts the thread that starts all further Ms, unless it runs.
void start_template_thread();
// Blocks until the threads of ended Ms, other than the caller's, have destroyed their thread-local
// variables. Gives up 10 s after the end of each M: a destructor may wait for the caller.
void wait_for_ending_threads();
// Starts a detached thread. Returns 0, or the error of pthread_create.
int start_detached(void* (*f)(void*), void* arg) noexcept;
// Returns the number of threads that are no Ms and wake no fiber by themselves: weft's and a
// sanitizer's.
int helper_threads() noexcept;
// The thread of diagnosis/reporter.h runs in this process from now on. A forked child has none.
void reporter_started() noexcept;
// 1 if this process has a reporter thread, else 0.
int reporter_threads() noexcept;
// In a forked child: these threads do not exist there.
void renew_threads_after_fork();
// A thread of another room cannot wake a fiber from now on (1), or can again (-1).
void note_quiet_helper(int n) noexcept;
// A thread is about to call note_quiet_helper(1): a verdict waits for it.
void expect_quiet_helper() noexcept;
std::int64_t quiet_helper_expected_since() noexcept;

}  // namespace weft::detail
