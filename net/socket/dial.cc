// Connecting, to one address or to the best of several.
//
// A name may have addresses of two families, and one of the two may lead nowhere, silently. So
// those of the second family are tried too when the first has not answered within fallback_delay,
// or immediately when it has failed; the first connection is taken (RFC 8305).
#include <sys/socket.h>
#include <weft/chan.h>
#include <weft/go.h>
#include <weft/net.h>
#include <weft/select.h>
#include <weft/time.h>

#include <cerrno>

#include "net/fd/open_socket.h"
#include "net/fd/requests.h"
#include "net/poller/perform.h"
#include "net/socket/resolve.h"

namespace weft::net {

using namespace weft::detail;

namespace {

using endpoints = std::vector<endpoint>;

// A TCP socket may connect to itself when its own port, chosen by the kernel, is the port that it
// dials.
bool met_itself(const descriptor& d) { return d.local() == d.remote() && d.local().network() == "tcp"; }

// A listener of the Unix domain has as many connections waiting as it may have, and the kernel does
// not say when that changes: tries again, as connect(2) waits that blocks.
outcome connect_with_pauses(io_lock& t, connect_to& rq, const context* ctx, std::int64_t deadline_ns) {
  constexpr duration longest = std::chrono::milliseconds(50);
  outcome got;
  for (duration pause = std::chrono::milliseconds(1); rq.queue_is_full; pause = std::min(2 * pause, longest)) {
    const std::int64_t left = deadline_ns == never ? never : deadline_ns - now_ns();
    if (left <= 0) return {0, weft::errc::timeout};
    const duration nap = std::min(pause, duration(left));
    if (ctx) {
      if (const std::error_code e = sleep(*ctx, nap)) return {0, e};
    } else {
      sleep(nap);
    }
    got = perform(t, rq, ctx);
  }
  return got;
}

result<conn> dial_one(const context* ctx, const endpoint& to, const endpoint& from, std::int64_t deadline_ns) {
  for (int tries = 0; tries < 3; ++tries) {
    owned_fd s = new_socket(to.family(), to.type());
    if (s.get() < 0) return {{}, last_error()};
    set_defaults(s.get(), to);
    if (from.length() != 0 && bind(s.get(), from.address(), from.length()) != 0) return {{}, last_error()};
    const int fd = s.get();
    const descriptor_ref connecting(new descriptor(s.release(), {}, to));
    if (deadline_ns != never) connecting.get()->direction_for(direction_kind::writing).set_deadline(deadline_ns);
    outcome got;
    {
      io_lock t(connecting.get(), direction_kind::writing, ctx);
      if (t.error()) return {{}, t.error()};
      connect_to rq(fd, to.address(), to.length());
      got = perform(t, rq, ctx);
      if (rq.queue_is_full) got = connect_with_pauses(t, rq, ctx, deadline_ns);
    }
    if (got.err) return {{}, got.err};
    if (deadline_ns != never) connecting.get()->direction_for(direction_kind::writing).set_deadline(never);
    connecting.get()->connected(to);
    if (!met_itself(*connecting.get())) return {conn(connecting), {}};
  }
  return {{}, make_error_code(std::errc::connection_refused)};
}

struct plan {
  endpoint from;
  std::int64_t deadline_ns = never;
  duration fallback_delay{};
};

// Returns when to give up an address that is one of `left` untried ones: the time there is, in
// equal shares of at least two seconds, so that one that swallows packets does not use up the time
// of the others. Go's partialDeadline.
std::int64_t end_of_share(std::int64_t until, std::size_t left) {
  constexpr std::int64_t least = 2'000'000'000;
  if (until == never || left == 1) return until;
  const std::int64_t now = now_ns();
  return until <= now ? until : std::min(until, now + std::max((until - now) / static_cast<std::int64_t>(left), least));
}

// Tries one address after the other. Returns the first error if none answers.
result<conn> in_turn(const context* ctx, const endpoints& list, const plan& how) {
  const auto of_ctx = ctx ? ctx->deadline() : std::nullopt;
  const std::int64_t ctx_ends = of_ctx ? of_ctx->time_since_epoch().count() : never;
  const std::int64_t until = std::min(how.deadline_ns, ctx_ends);
  std::error_code first;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::int64_t share = end_of_share(until, list.size() - i);
    // The end of the context is the context's to report.
    auto [c, e] = dial_one(ctx, list[i], how.from, share == ctx_ends ? how.deadline_ns : share);
    if (!e) return {std::move(c), {}};
    if (!first) first = e;
    if (ctx && ctx->err()) return {{}, ctx->err()};
    if (how.deadline_ns != never && how.deadline_ns <= now_ns()) return {{}, weft::errc::timeout};
  }
  return {{}, first};
}

result<conn> race(const context& ctx, const endpoints& primary, const endpoints& fallback, const plan& how) {
  struct arrival {
    bool is_primary;
    result<conn> got;
  };
  auto arrivals = make_chan<arrival>(2);  // room for both: the loser does not wait, and its connection goes with it
  auto [both, cancel] = with_cancel(ctx);
  const auto start = [&, both = both](const endpoints& list, bool is_primary) {
    go([arrivals, both, list, is_primary, how] {
      result<conn> got;
      try {
        got = in_turn(&both, list, how);
      } catch (const std::bad_alloc&) {
        got.err = make_error_code(std::errc::not_enough_memory);
      }
      arrivals.send({is_primary, std::move(got)});
    });
  };
  start(primary, true);
  int under_way = 1;
  timer head_start(how.fallback_delay);
  bool second_started = false;
  std::error_code first_error;
  while (under_way > 0) {
    arrival a;
    time_point now;
    if (select(recv(arrivals, a), recv(head_start.c(), now)) == 0) {
      --under_way;
      if (!a.got.err) return std::move(a.got);
      if (a.is_primary || !first_error) first_error = a.got.err;
    }
    if (!second_started && !ctx.err()) {
      second_started = true;
      start(fallback, false);
      ++under_way;
    }
  }
  return {{}, first_error};
}

// The time of a dial includes that of the name lookup.
result<endpoints> look_up_within(const plan& how, const context* ctx, std::string_view network,
                                 std::string_view address, purpose what) {
  if (how.deadline_ns == never || !in_fiber()) return weft::detail::resolve(ctx, network, address, what);
  auto [bounded, cancel] = with_deadline(ctx ? *ctx : background(), time_point(duration(how.deadline_ns)));
  auto found = weft::detail::resolve(&bounded, network, address, what);
  if (found.err == weft::errc::deadline_exceeded && !(ctx && ctx->err())) found.err = weft::errc::timeout;
  return found;
}

result<conn> dial_with(const dialer& d, const context* ctx, std::string_view network, std::string_view address) {
  plan how;
  how.fallback_delay = d.fallback_delay;
  if (d.timeout.count() != 0) how.deadline_ns = deadline_after(d.timeout);
  if (!d.local.empty()) {
    auto [own, err] = look_up_within(how, ctx, network, d.local, purpose::to_listen);
    if (err) return {{}, err};
    how.from = own.front();
  }
  auto [found, err] = look_up_within(how, ctx, network, address, purpose::to_dial);
  if (err) return {{}, err};
  endpoints primary, fallback;
  for (const endpoint& e : found) {
    if (how.from.length() != 0 && e.family() != how.from.family()) continue;
    (e.family() == found.front().family() || how.from.length() != 0 ? primary : fallback).push_back(e);
  }
  if (primary.empty()) return {{}, errc::no_address};
  if (!fallback.empty() && d.fallback_delay.count() >= 0 && in_fiber())
    return race(ctx ? *ctx : background(), primary, fallback, how);
  primary.insert(primary.end(), fallback.begin(), fallback.end());
  return in_turn(ctx, primary, how);
}

}  // namespace

result<conn> dialer::dial(std::string_view network, std::string_view address) const {
  return dial_with(*this, nullptr, network, address);
}
result<conn> dialer::dial(const context& ctx, std::string_view network, std::string_view address) const {
  return dial_with(*this, &ctx, network, address);
}

result<conn> dial(std::string_view network, std::string_view address) { return dialer{}.dial(network, address); }
result<conn> dial(const context& ctx, std::string_view network, std::string_view address) {
  return dialer{}.dial(ctx, network, address);
}
result<conn> dial_timeout(std::string_view network, std::string_view address, duration limit) {
  return dialer{.timeout = limit.count() == 0 ? duration(-1) : limit}.dial(network, address);
}

}  // namespace weft::net
