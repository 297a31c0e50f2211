#include "net/http/client_conn.h"

#include <weft/go.h>
#include <weft/select.h>
#include <weft/time.h>
#include <weft/timer.h>

#include <algorithm>
#include <iterator>
#include <mutex>

namespace weft::http::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_size = 8192;
constexpr duration look_interval = 100ms;
constexpr duration too_late = 5s;

}  // namespace

std::error_code client_conn::fill(const context& ctx) {
  if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(read_size);
  begin_ = end_ = 0;
  const auto [n, err] = stream_->read(ctx, std::as_writable_bytes(std::span(bytes_.get(), read_size)));
  end_ = n;
  return err;
}

void client_conn::drop_buffer() noexcept {
  bytes_.reset();
  begin_ = end_ = 0;
}

bool conn_pool::is_too_old(const kept& k) const { return idle_time.count() > 0 && now() - k.since >= idle_time; }

std::optional<client_conn> conn_pool::take(const std::string& key) {
  for (;;) {
    list found;
    {
      const std::lock_guard hold(lock_);
      const auto at = std::find_if(kept_.rbegin(), kept_.rend(), [&](const kept& k) { return k.key == key; });
      if (at == kept_.rend()) return {};
      found.splice(found.end(), kept_, std::prev(at.base()));
    }
    kept& k = found.front();
    if (!is_too_old(k) && k.c.is_quiet()) return std::move(k.c);
  }
}

void conn_pool::give(const std::shared_ptr<conn_pool>& self, const std::string& key, client_conn c) {
  if (self->max_idle == 0 || !c.is_quiet()) return;
  c.drop_buffer();
  c.on().set_read_deadline(time_point::max());
  c.on().set_write_deadline(time_point::max());
  list one, dropped;
  one.push_back({key, std::move(c), now()});
  const std::lock_guard hold(self->lock_);
  self->kept_.splice(self->kept_.end(), one);
  if (self->kept_.size() > self->max_idle) dropped.splice(dropped.end(), self->kept_, self->kept_.begin());
  self->start_keeper_locked(self);
}

void conn_pool::close_all() {
  list dropped;
  const std::lock_guard hold(lock_);
  dropped.swap(kept_);
  keeper_.reset();
}

void conn_pool::start_keeper_locked(const std::shared_ptr<conn_pool>& self) {
  if (!weft::detail::in_fiber()) return;  // a plain thread may have no world: take() looks
  if (keeper_ && now() < next_look_ + too_late) return;
  next_look_ = now() + look_interval;
  keeper_.emplace(with_cancel(background()));
  go([pool = std::weak_ptr(self), life = keeper_->ctx] { keep(pool, life); });
}

void conn_pool::keep(const std::weak_ptr<conn_pool>& pool, const context& life) {
  for (;;) {
    timer next(look_interval);
    const recv_chan<void> ended = life.done();
    time_point at;
    if (select(recv(ended), recv(next.c(), at)) == 0) return;
    const std::shared_ptr<conn_pool> p = pool.lock();
    if (!p || life.err() || !p->look()) return;
  }
}

// Closes what cannot be used any more. False if nothing is left to look at.
bool conn_pool::look() {
  list dropped;  // closed after the lock is released
  const std::lock_guard hold(lock_);
  for (auto at = kept_.begin(); at != kept_.end();) {
    const auto next = std::next(at);
    if (is_too_old(*at) || !at->c.is_quiet()) dropped.splice(dropped.end(), kept_, at);
    at = next;
  }
  next_look_ = now() + look_interval;
  if (!kept_.empty()) return true;
  keeper_.reset();
  return false;
}

}  // namespace weft::http::detail
