// A fiber takes connections, and each has a fiber of its own.
#include "net/http/server.h"

#include <fmt/format.h>
#include <weft/go.h>
#include <weft/time.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "net/http/connection.h"
#include "net/http/server_state.h"
#include "runtime/fatal.h"

namespace weft::http::detail {

namespace {

// Too many open files, no memory: it may pass.
bool may_pass(const std::error_code& e) {
  return e == std::errc::too_many_files_open || e == std::errc::too_many_files_open_in_system ||
         e == std::errc::no_buffer_space || e == std::errc::not_enough_memory;
}

// Takes a connection and starts its fiber.
std::error_code serve_next(const std::shared_ptr<server_state>& s, const accept_fn& accept) {
  try {
    auto [c, err] = accept();
    if (err) return err;
    go([s, c = std::move(c)] { serve_connection(s, c); });
    return {};
  } catch (const std::bad_alloc&) {
    return make_error_code(std::errc::not_enough_memory);
  }
}

}  // namespace

void server_state::log(std::string_view text) const noexcept {
  if (error_log) error_log(text);
  else weft::detail::log_line(text);
}

std::optional<server_state::place> server_state::add(const stream_ptr& c) {
  const std::lock_guard hold(lock);
  if (stopping) return {};
  return connections.insert(connections.end(),
                            connection{.c = c, .new_until = c->must_begin() ? time_point() : now() + new_time});
}

void server_state::connection_ended_locked() {
  if (stopping && connections.empty() && drained) std::exchange(drained, {}).close();
}

void server_state::remove(place at) {
  const std::lock_guard hold(lock);
  if (!at->listed) {
    hijacked.erase(at);
    return;
  }
  connections.erase(at);
  connection_ended_locked();
}

void server_state::release(place at) {
  const std::lock_guard hold(lock);
  at->listed = false;
  hijacked.splice(hijacked.end(), connections, at);
  connection_ended_locked();
}

bool server_state::set_idle(place at, bool idle) {
  const std::lock_guard hold(lock);
  at->idle = idle;
  if (!idle) at->new_until = {};
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
    const std::error_code err = serve_next(s, accept);
    if (!err) {
      pause = {};
      continue;
    }
    if (!may_pass(err)) return err;
    pause = std::min<duration>(pause * 2 + std::chrono::milliseconds(5), std::chrono::seconds(1));
    s->log(fmt::format("http: accept: {}; again in {} ms", err.message(), pause.count() / 1'000'000));
    sleep(pause);
  }
}

}  // namespace weft::http::detail

namespace weft::http {

using detail::server_state;

server::server(std::string_view address, handler h, limits l) : state_(std::make_shared<server_state>()) {
  state_->address = address;
  state_->handle = std::move(h);
  state_->bounds = l;
}

server& server::set_route_limits(std::function<void(const request&, limits&)> f) {
  state_->route_limits = std::move(f);
  return *this;
}

server& server::set_error_log(std::function<void(std::string_view)> f) {
  state_->error_log = std::move(f);
  return *this;
}

std::error_code server::listen_and_serve() {
  auto [l, err] = net::listen("tcp", state_->address.empty() ? ":80" : state_->address);
  return err ? err : serve(l);
}

std::error_code server::serve(const net::listener& l) {
  return detail::serve_all(state_, l, [&l]() -> result<detail::stream_ptr> {
    auto [c, err] = l.accept();
    return {err ? nullptr : detail::plain_stream(std::move(c)), err};
  });
}

std::error_code server::shutdown(const context& ctx) {
  chan<void> drained;
  std::vector<std::pair<detail::stream_ptr, time_point>> idle;
  {
    const std::lock_guard hold(state_->lock);
    state_->stop_listening_locked();
    if (state_->connections.empty()) return {};
    if (!state_->drained) state_->drained = make_chan<void>();
    drained = state_->drained;
    for (const server_state::connection& c : state_->connections)
      if (c.idle) idle.emplace_back(c.c, c.new_until);
  }
  for (const auto& [c, new_until] : idle) c->set_read_deadline(std::max(now(), new_until));
  if (const auto [open, err] = drained.recv(ctx); err && err != errc::closed) return ctx.err();
  return {};
}

std::error_code server::close() {
  std::vector<detail::stream_ptr> all;
  {
    const std::lock_guard hold(state_->lock);
    state_->stop_listening_locked();
    for (const server_state::connection& c : state_->connections) all.push_back(c.c);
  }
  state_->life.cancel();
  for (const detail::stream_ptr& c : all) (void)c->close();
  return {};
}

}  // namespace weft::http
