// What the copies of a server, and the fibers of its connections, share.
#pragma once
#include <weft/chan.h>
#include <weft/http.h>
#include <weft/mutex.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "net/http/stream.h"

namespace weft::http::detail {

// So long shutdown() waits for the first request of a new connection: Go's time.
constexpr duration new_time = std::chrono::seconds(5);

struct server_state : std::enable_shared_from_this<server_state> {
  std::string address;
  handler handle;
  limits bounds;
  std::function<void(const request&, limits&)> route_limits;
  std::function<void(std::string_view)> error_log;
  cancelable life = with_cancel(background());

  mutex lock;
  std::vector<net::listener> listeners;                 // these under lock
  struct connection {
    stream_ptr c;
    bool idle = true;
    time_point new_until = {};                          // before, its first request may be on its way
    bool listed = true;                                 // false: hijacked
  };
  std::list<connection> connections, hijacked;
  bool stopping = false;
  chan<void> drained;                                   // closed when stopping and no connection is left

  using place = std::list<connection>::iterator;
  // None if the server stops.
  std::optional<place> add(const stream_ptr& c);
  void remove(place at);
  // The connection is its handler's: neither close nor shutdown minds it. remove() is still due.
  void release(place at);
  // False if the server stops: the connection must end.
  bool set_idle(place at, bool idle);
  void stop_listening_locked();
  void connection_ended_locked();
  // To the error log. Parts that a peer sent must be printable().
  void log(std::string_view text) const noexcept;
};

}  // namespace weft::http::detail
