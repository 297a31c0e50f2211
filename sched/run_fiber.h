// The life of a fiber on its stack.
#pragma once
#include <weft/detail/fiber.h>

namespace weft::detail {

struct M;
struct P;
struct runnable;
struct spawn_record;

// From the M's own stack: runs r until it leaves.
void execute(M* m, runnable* r);
// Gives a stack to a fiber that has never run, which is m's from now on.
G* give_stack(M* m, spawn_record* r);

// m's fiber has no P: leaves its stack, and `commit` queues it. Returns when it runs again.
void leave_without_p(M* m, wait_reason reason, commit_fn commit);
// A commit for that: any M with a P runs the fiber. In a world that has ended none does.
void queue_unless_stopped(G* g, void* world_of_g);

void free_record(P* p, spawn_record* r) noexcept;

}  // namespace weft::detail
