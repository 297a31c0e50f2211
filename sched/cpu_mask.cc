#include "sched/cpu_mask.h"

#include <sched.h>

#include <cerrno>

namespace weft::detail {

int read_affinity(long tid, cpu_mask& into) noexcept {
  into = {};
  return sched_getaffinity(static_cast<pid_t>(tid), sizeof into.words, reinterpret_cast<cpu_set_t*>(&into.words)) == 0
             ? 0
             : errno;
}

int write_affinity(long tid, const cpu_mask& cpus) noexcept {
  return sched_setaffinity(static_cast<pid_t>(tid), sizeof cpus.words,
                           reinterpret_cast<const cpu_set_t*>(&cpus.words)) == 0
             ? 0
             : errno;
}

}  // namespace weft::detail
