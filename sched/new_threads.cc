#include "sched/new_threads.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "sched/thread_state.h"
#include "sched/world.h"

namespace weft::detail {
namespace {

// Threads that the monitor has seen since the limit began, under world::retaking.
std::vector<long>& threads_seen() {
  static auto* all = new std::vector<long>;
  return *all;
}

// True if the number of threads has changed since this was called last.
bool threads_changed(cpu_limit& l) noexcept {
  struct stat tasks {};
  if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink == l.threads_seen) return false;
  l.threads_seen = tasks.st_nlink;
  return true;
}

// The threads of the process. If the list was cut short, threads_changed() returns true next time.
std::vector<long> list_threads(cpu_limit& l) {
  std::vector<long> listed;
  for_each_thread([&](long tid) { listed.push_back(tid); });
  constexpr std::uint64_t of_a_directory = 2;  // links: `.` and its name
  if (listed.size() + of_a_directory != l.threads_seen) l.threads_seen = 0;
  return listed;
}

// Those threads that began since the last list and have the limit's affinity.
std::vector<long> list_new_bound_threads(cpu_limit& l) {
  std::vector<long>& seen = threads_seen();
  std::vector<long> listed = list_threads(l), bound;
  for (const long tid : listed) {
    cpu_mask now;
    const bool is_new = std::find(seen.begin(), seen.end(), tid) == seen.end();
    if (is_new && read_affinity(tid, now) == 0 && now == l.cpus) bound.push_back(tid);
  }
  if (l.threads_seen != 0) seen.swap(listed);
  else seen.insert(seen.end(), listed.begin(), listed.end());
  return bound;
}

struct found_affinity {
  cpu_mask own;       // empty if no M follows the limit
  bool busy = false;  // an M follows it and holds its lock, and no other does
};

// The affinity without the limit of the Ms that follow one.
found_affinity affinity_of_ms(world& w) {
  found_affinity found;
  const std::lock_guard hold(w.lock);
  for (M* m : w.all_ms) {
    if (m->cpus.epoch.load(std::memory_order_acquire) == 0) continue;  // [cpu-binding]
    if (!m->cpus.lock.try_lock()) {
      found.busy = true;
      continue;
    }
    found.own = m->cpus.own;
    m->cpus.lock.unlock();
  }
  found.busy = found.busy && found.own.count() == 0;
  return found;
}

// Takes the threads of Ms that follow a limit out of a list.
void erase_ms(world& w, std::vector<long>& threads) {
  const std::lock_guard hold(w.lock);
  for (const M* m : w.all_ms)
    if (m->cpus.epoch.load(std::memory_order_acquire) != 0) std::erase(threads, m->tid);  // [cpu-binding]
}

}  // namespace

void note_threads(cpu_limit& l) {
  constexpr int tries = 10;
  l.threads_seen = 0;
  for (int i = 0; i < tries && l.threads_seen == 0; ++i) {
    threads_changed(l);
    threads_seen() = list_threads(l);
  }
}

// Each thread is checked one time, soon after its start: a later affinity is the program's.
void free_new_threads(world& w, bool patient) {
  if (!threads_changed(w.limit)) return;
  found_affinity found = affinity_of_ms(w);
  while (found.busy && patient) {
    usleep(100);
    found = affinity_of_ms(w);
  }
  if (found.busy) {
    w.limit.threads_seen = 0;  // as if the number of threads had changed again
    return;
  }
  std::vector<long> bound = list_new_bound_threads(w.limit);
  if (!bound.empty()) erase_ms(w, bound);
  if (found.own.count() == 0 || found.own == w.limit.cpus) return;
  for (const long tid : bound) write_affinity(tid, found.own);
}

}  // namespace weft::detail
