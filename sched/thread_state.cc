#include "sched/thread_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft::detail {
namespace {

using stat_line = std::array<char, 1024>;

// A line of /proc from the state on; null if it cannot be read. The name before that may hold
// anything.
const char* read_state(const char* path, stat_line& text) noexcept {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  const ssize_t n = read(fd, text.data(), text.size() - 1);
  close(fd);
  if (n <= 0) return nullptr;
  text[static_cast<std::size_t>(n)] = '\0';
  const char* name_end = std::strrchr(text.data(), ')');
  return name_end && name_end[1] == ' ' ? name_end + 2 : nullptr;
}

// Null if the thread has ended.
const char* read_state_of(long tid, stat_line& text) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%ld/stat", tid);
  return read_state(path, text);
}

const char* field_after(const char* at, int fields) noexcept {
  for (; at && fields > 0; --fields) {
    at = std::strchr(at, ' ');
    if (at) ++at;
  }
  return at;
}

}  // namespace

bool asleep_in_kernel(long tid) noexcept {
  stat_line text;
  const char* state = read_state_of(tid, text);
  return state && (*state == 'S' || *state == 'D');
}

int last_cpu(long tid) noexcept {
  stat_line text;
  constexpr int from_state_to_cpu = 36;  // proc(5): fields 3 and 39
  const char* at = field_after(read_state_of(tid, text), from_state_to_cpu);
  return at ? std::atoi(at) : -1;
}

int threads_of_process() noexcept {
  stat_line text;
  constexpr int from_state_to_threads = 17;  // proc(5): fields 3 and 20
  const char* at = field_after(read_state("/proc/self/stat", text), from_state_to_threads);
  return at ? std::atoi(at) : -1;
}

void for_each_thread(const std::function<void(long)>& f) {
  DIR* tasks = opendir("/proc/self/task");
  if (!tasks) return;
  while (const dirent* e = readdir(tasks))
    if (e->d_name[0] != '.') f(std::atol(e->d_name));
  closedir(tasks);
}

bool is_kernel_worker(long tid) noexcept {
  stat_line text;
  constexpr int from_state_to_flags = 6;  // proc(5): fields 3 and 9
  constexpr unsigned long io_worker = 0x10, user_worker = 0x4000;  // PF_IO_WORKER, PF_USER_WORKER
  const char* at = field_after(read_state_of(tid, text), from_state_to_flags);
  return at && (std::strtoul(at, nullptr, 10) & (io_worker | user_worker)) != 0;
}

std::int64_t thread_cpu_ns(long tid) noexcept {
  constexpr unsigned per_thread = 4, scheduler_time = 2;  // the kernel's encoding of a thread's CPU clock
  const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(tid) << 3) | per_thread | scheduler_time);
  timespec t{};
  if (clock_gettime(clock, &t) != 0) return 0;
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

}  // namespace weft::detail
