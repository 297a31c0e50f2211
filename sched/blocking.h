// Calls that keep the thread: the P that they leave behind.
#pragma once
#include "sched/threads.h"

namespace weft::detail {

struct M;
struct P;
struct world;

// p has no M: gives it to an M if there is anything to do, else puts it on the idle list.
void hand_off_p(world& w, P* p, thread_need need = thread_need::certain);
// As begin_blocking(), with its result. If no thread may be made for the other fibers, they wait
// until end_blocking().
bool begin_blocking_if_possible();
// The calling thread's M, although it may count as a plain thread now. For reports; safe in signal
// handlers.
M* this_m_in_any_call() noexcept;

}  // namespace weft::detail
