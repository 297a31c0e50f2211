// A process that forks: only the thread that calls fork() exists in the child. The monitor, the
// reporter, the Ps and the threads of net stay in the parent, and the child shares descriptors such
// as an epoll with it.
//
// The child records that it is one, and renews this state when it first calls run() or registers
// for signals. So a server may run a world, fork, and run a world in each child. A child whose
// parent's world ran at the fork has no threads to run that world's fibers: a call into weft from
// such a fiber ends the child with one sentence.
//
// Refused: making threads and descriptors in the child's atfork handler. Most children call exec
// and do not need them.
#pragma once
#include <cstdint>

namespace weft::detail {

struct M;

// Returns how many forks lie between this process and its ancestor that called watch_forks() first.
// For a value that is made once per thread: a value of another generation belongs to the parent.
// Any thread.
std::uint32_t fork_generation() noexcept;

// Installs the handler that records forks, once. Any thread.
void watch_forks() noexcept;

// Calls `renew` in each child at its first catch_up_with_fork(), after the scheduler's own state is
// new. At most 8.
void at_fork_renew(void (*renew)());

// Renews the state that a fork has left behind, if this process is a child that has not done so.
// From run(), and from plain threads before they start a thread of weft's. Not while a world runs.
void catch_up_with_fork();

// Returns true in a child that was forked from a fiber and still runs as that fiber.
bool forked_from_a_fiber() noexcept;
// Ends such a child.
[[noreturn]] void refuse_forked_fiber() noexcept;

}  // namespace weft::detail
