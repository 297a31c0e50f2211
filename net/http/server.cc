// A fiber takes connections, and each has a fiber that answers one request after another.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <fmt/format.h>
#include <weft/time.h>

#include <algorithm>
#include <exception>
#include <mutex>

#include "net/http/exchange.h"
#include "net/http/server_state.h"
#include "runtime/fatal.h"

namespace weft::http::impl {

namespace {

using beast_error = boost::system::error_code;

enum class got { request, nothing_more, bad, too_large_head, too_large_body, too_late };

got what_is_wrong(const beast_error& e) {
  if (e == beast_http::error::header_limit) return got::too_large_head;
  if (e == beast_http::error::body_limit) return got::too_large_body;
  return got::bad;
}

bool wants_continue(const exchange& x) {
  return x.request.is_header_done() && !x.request.is_done() &&
         boost::beast::iequals(x.message()[beast_http::field::expect], "100-continue");
}

// Reads until the request is complete. Its head and its body have a time each.
got read_request(exchange& x, input& in) {
  bool continued = false, head_done = false, timed = !in.rest().empty();
  for (;;) {
    if (const std::string_view rest = in.rest(); !rest.empty()) {
      beast_error e;
      in.consume(x.request.put(boost::asio::buffer(rest.data(), rest.size()), e));
      if (e && e != beast_http::error::need_more) return what_is_wrong(e);
      if (x.request.is_done()) return got::request;
    }
    if (x.request.is_header_done() && !head_done) {
      head_done = timed = true;
      x.conn.set_read_deadline(in_about(x.bounds.body_time));
    }
    if (!timed && x.request.got_some()) {
      timed = true;
      x.conn.set_read_deadline(in_about(x.bounds.header_time));
    }
    if (!continued && wants_continue(x)) {
      continued = true;
      if (x.conn.write("HTTP/1.1 100 Continue\r\n\r\n").err) return got::nothing_more;
    }
    const bool begun = x.request.got_some();
    if (const std::error_code e = in.fill(x.conn)) {
      if (e == weft::errc::timeout && begun) return got::too_late;
      return begun && e == weft::errc::eof ? got::bad : got::nothing_more;
    }
  }
}

// What the client still sends would make the kernel answer with a reset, which may overtake our last words.
void close_politely(stream& c) {
  if (c.close_write()) return;
  c.set_read_deadline(now() + std::chrono::milliseconds(500));
  std::byte rest[4096];
  for (int i = 0; i < 64 && c.read(rest); ++i) {
  }
}

void refuse(exchange& x, int code) {
  x.status = code;
  x.close_after = true;
  x.body = fmt::format("{} {}\n", code, status_text(code));
  x.send_part(true);
}

// As refuse(), for a request that has not been read to its end.
bool turn_away(exchange& x, int code) {
  refuse(x, code);
  close_politely(x.conn);
  return false;
}

void log_panic(const exchange& x, std::string_view what) {
  const auto m = x.message().method_string();
  detail::log_line(fmt::format("http: panic serving {} {}: {}", std::string_view(m.data(), m.size()), x.path, what));
}

// Calls the handler. An exception is a 500, or the end of the connection if the answer has begun.
void answer(const handler& h, exchange& x) {
  const auto target = x.message().target();
  const std::string_view whole(target.data(), target.size());
  x.path = decoded(whole.substr(0, whole.find('?')), encoding::path);
  response_writer w(x);
  const request r(x);
  const auto fail = [&](std::string_view what) {
    log_panic(x, what);
    if (x.head_sent) {
      x.close_after = true;
      x.error = weft::errc::closed;  // what has been sent must not look complete
      return;
    }
    x.headers.clear();
    x.has_length = false;
    refuse(x, 500);
  };
  try {
    h(w, r);
  } catch (const std::exception& e) {
    fail(e.what());
  } catch (const detail::goexit_signal&) {
    throw;
  } catch (...) {
    fail("an exception of an unknown type");
  }
  x.watch.stop();
  x.send_part(true);
}

// One request. False if the connection is over.
bool serve_one(server_state& s, server_state::place here, stream& c, input& in) {
  exchange x(c, in, s.life.ctx, s.bounds);
  // In this order, or shutdown would find it idle and then lose its deadline to ours.
  c.set_read_deadline(in_about(in.rest().empty() ? s.bounds.idle_time : s.bounds.header_time));
  if (!s.set_idle(here, true)) return false;
  const got g = read_request(x, in);
  if (g == got::nothing_more) return false;
  if (!s.set_idle(here, false)) x.close_after = true;
  switch (g) {
    case got::request: break;
    case got::too_large_head: return turn_away(x, 431);
    case got::too_large_body: return turn_away(x, 413);
    case got::too_late: return turn_away(x, 408);
    default: return turn_away(x, 400);
  }
  answer(s.handle, x);
  return !x.error && !x.close_after;
}

// False if the two do not agree.
bool begin(server_state& s, server_state::place here, stream& c) {
  if (!c.must_begin()) return true;
  const time_point end = now() + s.bounds.header_time;
  c.set_read_deadline(end);
  c.set_write_deadline(end);
  if (!s.set_idle(here, true)) return false;  // after the deadline, as in serve_one()
  if (const std::error_code e = c.begin()) {
    detail::log_line(fmt::format("http: {}: {}", c.remote_addr().to_string(), e.message()));
    return false;
  }
  c.set_write_deadline(time_point::max());
  return true;
}

void serve_connection(const std::shared_ptr<server_state>& s, const stream_ptr& c) {
  const auto here = s->add(c);
  if (!here) return;
  struct leave {
    server_state& s;
    server_state::place here;
    ~leave() { s.remove(here); }
  } at_end{*s, *here};
  input in;
  if (begin(*s, *here, *c))
    while (serve_one(*s, *here, *c, in)) {
    }
  (void)c->close();
}

// Too many open files, no memory: it may pass.
bool may_pass(const std::error_code& e) {
  return e == std::errc::too_many_files_open || e == std::errc::too_many_files_open_in_system ||
         e == std::errc::no_buffer_space || e == std::errc::not_enough_memory;
}

}  // namespace

std::optional<server_state::place> server_state::add(const stream_ptr& c) {
  const std::lock_guard hold(lock);
  if (stopping) return {};
  return connections.insert(connections.end(), connection{c});
}

void server_state::remove(place at) {
  const std::lock_guard hold(lock);
  connections.erase(at);
  if (stopping && connections.empty() && drained) std::exchange(drained, {}).close();
}

bool server_state::set_idle(place at, bool idle) {
  const std::lock_guard hold(lock);
  at->idle = idle;
  return !stopping;
}

void server_state::stop_listening_locked() {
  stopping = true;
  for (const net::listener& l : listeners) (void)l.close();
  listeners.clear();
}

std::error_code serve_all(const std::shared_ptr<server_state>& s, const net::listener& l, const accept_fn& accept) {
  {
    const std::lock_guard hold(s->lock);
    if (s->stopping) {
      (void)l.close();
      return weft::errc::closed;
    }
    s->listeners.push_back(l);
  }
  duration pause{};
  for (;;) {
    auto [c, err] = accept();
    if (!err) {
      pause = {};
      go([s, c = std::move(c)] { serve_connection(s, c); });
      continue;
    }
    if (!may_pass(err)) return err;
    pause = std::min<duration>(pause * 2 + std::chrono::milliseconds(5), std::chrono::seconds(1));
    detail::log_line(fmt::format("http: accept: {}; again in {} ms", err.message(), pause.count() / 1'000'000));
    sleep(pause);
  }
}

}  // namespace weft::http::impl

namespace weft::http {

using impl::server_state;

server::server(std::string_view address, handler h, limits l) : state_(std::make_shared<server_state>()) {
  state_->address = address;
  state_->handle = std::move(h);
  state_->bounds = l;
}

std::error_code server::listen_and_serve() {
  auto [l, err] = net::listen("tcp", state_->address.empty() ? ":80" : state_->address);
  return err ? err : serve(l);
}

std::error_code server::serve(const net::listener& l) {
  return impl::serve_all(state_, l, [&l]() -> result<impl::stream_ptr> {
    auto [c, err] = l.accept();
    return {err ? nullptr : impl::plain_stream(std::move(c)), err};
  });
}

std::error_code server::shutdown(const context& ctx) {
  chan<void> drained;
  std::vector<impl::stream_ptr> idle;
  {
    const std::lock_guard hold(state_->lock);
    state_->stop_listening_locked();
    if (state_->connections.empty()) return {};
    if (!state_->drained) state_->drained = make_chan<void>();
    drained = state_->drained;
    for (const server_state::connection& c : state_->connections)
      if (c.idle) idle.push_back(c.c);
  }
  for (const impl::stream_ptr& c : idle) c->set_read_deadline(now());
  if (const auto [open, err] = drained.recv(ctx); err && err != errc::closed) return ctx.err();
  return {};
}

std::error_code server::close() {
  std::vector<impl::stream_ptr> all;
  {
    const std::lock_guard hold(state_->lock);
    state_->stop_listening_locked();
    for (const server_state::connection& c : state_->connections) all.push_back(c.c);
  }
  state_->life.cancel();
  for (const impl::stream_ptr& c : all) (void)c->close();
  return {};
}

}  // namespace weft::http
