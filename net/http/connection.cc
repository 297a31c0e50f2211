// A connection's fiber answers one request after another, and waits between them with one page of
// stack and no buffer.
//
// What a request needs lies in the frame of serve_request(), below the frames that wait. A stack
// that a request has made deeper is given back after a short rest: at a busy connection that costs
// nothing.
#include "net/http/connection.h"

#include <fmt/format.h>
#include <weft/time.h>

#include <algorithm>
#include <exception>

#include "net/http/date.h"
#include "net/http/exchange.h"
#include "net/http/serve_request.h"
#include "sched/stack_rest.h"

namespace weft::http::detail {

namespace {

// So long a connection is silent before it gives memory back.
constexpr duration short_rest = std::chrono::milliseconds(200);

enum class woken { by_bytes, by_end };

struct served {
  server_state& s;
  const server_state::place here;
  stream& c;
  const time_point first_head;  // when the first request's head must have come
  const time_point new_until;   // a server that stops waits for the first request until then
  input in;
  bool first = true, hijacked = false;
};

// The server stops, or the wait was too long. A request that has come is still answered.
woken end_of_wait(served& v) { return v.c.is_quiet() ? woken::by_end : woken::by_bytes; }

// Waits for the first byte of a request.
woken wait_for_request(served& v) {
  if (!v.in.rest().empty()) return v.s.set_idle(v.here, false) ? woken::by_bytes : woken::by_end;
  const time_point end = v.first ? v.first_head : bound_in(v.s.bounds.idle_time);
  bool rested = v.first;
  for (;;) {
    const time_point rest = rested ? end : std::min(end, in_about(short_rest));
    // In this order, or shutdown would find it idle and then lose its deadline to ours.
    v.c.set_read_deadline(rest);
    if (!v.s.set_idle(v.here, true)) {
      if (!v.first) return end_of_wait(v);
      v.c.set_read_deadline(std::min(rest, v.new_until));
    }
    const std::error_code e = v.in.wait(v.c);
    if (!e) return woken::by_bytes;
    if (e != weft::errc::timeout) return woken::by_end;
    if (rest == end) return end_of_wait(v);
    v.in.release();
    weft::detail::give_stack_back();
    rested = true;
  }
}

// False if the two do not agree.
bool begin(served& v) {
  if (!v.c.must_begin()) return true;
  v.c.set_read_deadline(v.first_head);
  v.c.set_write_deadline(v.first_head);
  if (!v.s.set_idle(v.here, true)) return false;  // after the deadline, as in wait_for_request()
  if (const std::error_code e = v.c.begin()) {
    v.s.log(fmt::format("http: {}: {}", printable(v.c.remote_addr().to_string()), printable(e.message())));
    return false;
  }
  v.c.set_write_deadline(time_point::max());
  return true;
}

void serve(served& v) {
  if (!begin(v)) return;
  while (wait_for_request(v) == woken::by_bytes) {
    const time_point head_by = v.first ? v.first_head : time_point::max();
    if (!serve_request(v.s, v.here, v.c, v.in, head_by, v.hijacked)) return;
    v.first = false;
  }
}

}  // namespace

void serve_connection(const std::shared_ptr<server_state>& s, const stream_ptr& c) {
  bool hijacked = false;
  try {
    const auto here = s->add(c);
    if (!here) return;
    struct leave {
      server_state& s;
      server_state::place here;
      ~leave() { s.remove(here); }
    } at_end{*s, *here};
    served v{*s, *here, *c, bound_in(s->bounds.header_time), now() + new_time, {}, true, false};
    try {
      serve(v);
    } catch (const std::exception& e) {  // memory that is not there: of this connection only
      s->log(fmt::format("http: {}: {}", printable(c->remote_addr().to_string()), printable(e.what())));
    }
    hijacked = v.hijacked;
  } catch (const std::bad_alloc&) {
  }
  try {
    if (!hijacked) (void)c->close();
  } catch (const std::bad_alloc&) {  // its destructor closes
  }
}

}  // namespace weft::http::detail
