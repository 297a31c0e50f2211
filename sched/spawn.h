// Spawning from inside a timer: into a list, which the M that fires the timers queues.
#pragma once
#include <weft/detail/spawn.h>

#include "sched/ready_list.h"

namespace weft::detail {

// As submit(), but into `list`. By an M that holds a P.
void submit_into(ready_list& list, spawn_record* r, std::size_t size, const void* site);

template <class F>
void spawn_into(ready_list& list, F&& f, const void* site) {
  using record = plain_record<std::decay_t<F>>;
  auto* r = ::new (allocate_record(sizeof(record))) record(std::forward<F>(f));
  submit_into(list, r, sizeof(record), site);
}

}  // namespace weft::detail
