// A fork() that AddressSanitizer bears. Its allocator is not made ready for forks before clang 18
// (malloc is): a child inherits the lock that another thread held in that moment, and its next
// allocation never ends.
#pragma once
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace weft::testing {

// True if each thread of this process but the caller's sleeps.
inline bool others_sleep() {
  const std::string self = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == self) continue;
    std::ifstream file(task.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const auto name_end = stat.rfind(')');  // a thread that has just ended has no stat
    if (name_end != std::string::npos && stat.compare(name_end, 3, ") S") != 0) return false;
  }
  return true;
}

// fork(), as soon as no other thread runs; after 10 s in any case.
inline pid_t fork_at_rest() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!others_sleep() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  return fork();
}

}  // namespace weft::testing
