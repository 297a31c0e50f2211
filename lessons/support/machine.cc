#include "lessons/support/machine.h"

#include <filesystem>
#include <string>

#include "runtime/cgroup.h"

namespace lesson {
namespace {

// Threads end while the folder is read: errors do not matter.
void set_affinity_of_all_threads(const cpu_set_t& mask) {
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ignored))
    sched_setaffinity(static_cast<pid_t>(std::stol(task.path().filename())), sizeof mask, &mask);
}

}  // namespace

int cpus_in_mask() {
  cpu_set_t mask;
  return sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
}

double cpu_quota() { return weft::detail::cgroup_cpu_share().value_or(0); }

on_one_cpu::on_one_cpu(bool bind) : bound_(bind) {
  if (!bound_ || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before_)) {
      CPU_SET(cpu, &one);
      break;
    }
  set_affinity_of_all_threads(one);
}

on_one_cpu::~on_one_cpu() {
  if (bound_) set_affinity_of_all_threads(before_);
}

}  // namespace lesson
