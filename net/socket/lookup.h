// Names to addresses, by the system's resolver, which blocks its thread.
//
// At most 64 lookups run at a time, on threads of their own that are no Ms and do not count against
// options::max_threads. Lookups beyond that wait in a queue. A question that equals one under way
// shares its answer. A caller whose context is done leaves; a question without callers leaves the
// queue.
#pragma once
#include <weft/context.h>
#include <weft/net.h>

#include <string>
#include <vector>

namespace weft::detail {

struct question {
  std::string host, port;
  int family = 0;  // AF_UNSPEC, AF_INET, AF_INET6
  int type = 0;    // SOCK_STREAM, SOCK_DGRAM
  int flags = 0;   // of getaddrinfo

  friend bool operator==(const question&, const question&) = default;
};

using addresses = result<std::vector<net::endpoint>>;

// Calls getaddrinfo. Blocks the OS thread, unless the host is a number.
addresses ask_system(const question& q);
// As ask_system(), without blocking the OS thread of a fiber. Returns ctx's error if ctx is done
// before.
addresses look_up(const context& ctx, question q);

}  // namespace weft::detail
