// What the operating system lets this process use.
#pragma once
#include <sched.h>

namespace lesson {

// CPUs in the affinity mask of the calling thread.
int cpus_in_mask();
// CPUs by the quota of the process's cgroups, or 0 if there is no quota.
double cpu_quota();

// Binds all threads of the process to one CPU while it lives, and restores the mask of the calling
// thread for all. Threads that start while it lives inherit the CPU.
class on_one_cpu {
 public:
  explicit on_one_cpu(bool bind);
  ~on_one_cpu();
  on_one_cpu(const on_one_cpu&) = delete;
  on_one_cpu& operator=(const on_one_cpu&) = delete;

 private:
  const bool bound_;
  cpu_set_t before_;
};

}  // namespace lesson
