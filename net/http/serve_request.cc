// One request: its head is read and checked, its handler called, its answer ended.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include "net/http/serve_request.h"

#include <fmt/format.h>
#include <weft/time.h>

#include <exception>

#include "net/http/date.h"
#include "net/http/exchange.h"

namespace weft::http::detail {

namespace {

constexpr int client_gone = -1;

// Reads a head to its end. Returns 0, the status to refuse it with, or client_gone.
int read_head(exchange& x, time_point by) {
  head_finder finder;
  const std::size_t most = x.bounds->max_header;
  std::size_t skipped = 0;
  bool timed = false;
  for (;;) {
    switch (finder.look(x.in.rest())) {
      case head_finder::found::bad: return 400;
      case head_finder::found::empty_line:
        x.in.consume(finder.end());
        if ((skipped += finder.end()) > most) return 400;
        continue;
      case head_finder::found::head:
        if (finder.end() > most) return 431;
        x.head = x.in.rest().substr(0, finder.end());
        x.in.consume(finder.end());
        return x.request.parse_head(x.head);
      case head_finder::found::nothing: break;
    }
    if (x.in.rest().size() > most) return finder.has_line() ? 431 : 414;
    if (!timed) x.conn.set_read_deadline(std::min(by, bound_in(x.bounds->header_time)));
    timed = true;
    if (const std::error_code e = x.in.fill(x.conn)) {
      if (x.in.rest().empty()) return client_gone;
      return e == weft::errc::timeout ? 408 : e == weft::errc::eof ? 400 : client_gone;
    }
  }
}

// What the client still sends would make the kernel answer with a reset, which may overtake our
// last bytes.
void close_politely(stream& c) {
  if (c.close_write()) return;
  c.set_read_deadline(now() + std::chrono::milliseconds(500));
  std::byte rest[1024];
  for (int i = 0; i < 256 && c.read(rest); ++i) {
  }
}

// As refuse(), for a request that has not been read to its end.
bool turn_away(exchange& x, int code) {
  x.refuse(code);
  close_politely(x.conn);
  return false;
}

void fail(exchange& x, int code, std::string_view what) {
  if (code == 500)
    x.server.log(fmt::format("http: panic serving {} {}: {}", printable(x.request.method), printable(x.path),
                             printable(what, 1000)));
  if (x.head_sent) {
    x.close_after = true;
    x.error = weft::errc::closed;  // what has been sent must not look complete
    return;
  }
  x.refuse(code);
}

// Calls the program's code. An exception is a 500, or the end of the connection if the answer has
// begun. Returns false then.
template <class F>
bool call_guarded(exchange& x, F f) {
  try {
    f();
    return true;
  } catch (const body_error& e) {
    fail(x, e.status(), e.what());
  } catch (const std::exception& e) {
    fail(x, 500, e.what());
  } catch (const weft::detail::goexit_signal&) {
    throw;
  } catch (...) {
    if (!weft::detail::caught_exception()) throw;
    fail(x, 500, "an exception of an unknown type");
  }
  return false;
}

void call_handler(exchange& x) {
  response_writer w(x);
  const request r(x);
  call_guarded(x, [&] { x.server.handle(w, r); });
  x.watch.stop();
  x.finish();
}

constexpr int answered = -2;

// The limits of this request, and its body as far as it has come. Returns 0, the status to refuse
// with, or `answered`.
int prepare(exchange& x) {
  using enum request_target::form_of;
  if (x.request.target.form != authority) x.path = decoded(x.request.target.path, encoding::path);
  if (x.server.route_limits) {
    x.own_bounds = x.server.bounds;
    if (!call_guarded(x, [&] { x.server.route_limits(request(x), x.own_bounds); })) return answered;
    x.bounds = &x.own_bounds;
  }
  return x.begin_body();
}

}  // namespace

exchange::exchange(server_state& s, server_state::place at, stream& c, input& bytes)
    : server(s), here(at), conn(c), in(bytes), bounds(&s.bounds), watch(c, bytes) {}

bool serve_request(server_state& s, server_state::place here, stream& c, input& in, time_point head_by,
                   bool& hijacked) {
  exchange x(s, here, c, in);
  int status = read_head(x, head_by);
  if (status == client_gone) return false;
  if (!s.set_idle(here, false)) x.close_after = true;
  if (status == 0) status = prepare(x);
  if (status == answered) {
    close_politely(x.conn);
    return false;
  }
  if (status != 0) return turn_away(x, status);
  if (!x.body_in.done && (x.request.chunked || x.request.length > 0))
    c.set_read_deadline(bound_in(x.bounds->body_time));
  call_handler(x);
  if ((hijacked = x.hijacked)) return false;
  const bool body_read = x.drop_body();
  // TLS reads what still comes after its close.
  if (!x.error && (!body_read || (x.close_after && c.plain() && !c.is_quiet()))) {
    x.bound_write();
    close_politely(c);
  }
  return body_read && !x.error && !x.close_after;
}

}  // namespace weft::http::detail
