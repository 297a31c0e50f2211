// The kernel's facts about a thread of this process.
#pragma once
#include <cstdint>
#include <functional>

namespace weft::detail {

// True while the thread sleeps in the kernel, or waits for a page or a disk.
bool asleep_in_kernel(long tid) noexcept;

// The CPU on which the thread runs or last ran; -1 if that cannot be read.
int last_cpu(long tid) noexcept;

// True for a worker that the kernel has made for io_uring, which is listed in /proc too.
bool is_kernel_worker(long tid) noexcept;

// The number of threads of the process, the kernel's workers among them; -1 if that cannot be read.
int threads_of_process() noexcept;

// f(tid) for each thread of the process. If a thread ends at this moment, Linux may leave out the
// threads after it in the list: fewer than threads_of_process().
void for_each_thread(const std::function<void(long)>& f);

// The CPU time that the thread has used, in nanoseconds; 0 if it has ended.
std::int64_t thread_cpu_ns(long tid) noexcept;

}  // namespace weft::detail
