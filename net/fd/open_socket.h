// A descriptor of the kernel's from its making to its place in a `descriptor`.
#pragma once
#include <weft/endpoint.h>
#include <weft/pass.h>

#include <system_error>

#include "net/fd/descriptor.h"

namespace weft::detail {

using owned_fd = net::unique_fd;

// errno. Never inlined: its address must not live across a suspension, after which the thread may
// be another.
std::error_code last_error() noexcept;

// Non-blocking and not for children.
owned_fd new_socket(int family, int type) noexcept;
// Errors are ignored: what is no descriptor says so at its next use.
void set_blocking(int fd, bool on) noexcept;
// What Go sets on every TCP connection: no delay for small writes, and probes on an idle one. No
// error if it fails.
void set_defaults(int fd, const net::endpoint& of) noexcept;
net::endpoint name_of_socket(int fd, int type) noexcept;
// The name that a bound socket got, or the one asked for if getsockname fails.
net::endpoint bound_name(int fd, const net::endpoint& asked) noexcept;
// Removes the file of a Unix socket; nothing for all others. Errors are ignored.
void unlink_path(const net::endpoint& of) noexcept;

// Where a read that gets less than it could take has taken all there is. Not so for a Unix stream:
// what came with descriptors ends a read.
bool short_reads_drain(const net::endpoint& of) noexcept;
// A connected socket, with one handle.
descriptor* adopt_connection(owned_fd fd, const net::endpoint& remote);

}  // namespace weft::detail
