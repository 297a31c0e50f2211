// A connection of the client with the bytes that were read and not used, and the connections that
// are kept.
//
// A connection is kept only if no byte follows the answer, and taken only if no byte has come
// since: the next request would take such bytes for its answer. While connections are kept, one
// fiber looks at them at intervals and closes a connection whose peer has sent or ended something,
// or that is too old.
//
// Refused: a fiber that reads from each kept connection. To take the connection back it must be
// cancelled and waited for, which each request would pay.
#pragma once
#include <weft/context.h>
#include <weft/mutex.h>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http/stream.h"

namespace weft::http::detail {

class client_conn {
 public:
  explicit client_conn(stream_ptr s) noexcept : stream_(std::move(s)) {}
  std::string_view rest() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) noexcept { begin_ += n; }
  // One read. Call it when rest() is empty.
  std::error_code fill(const context& ctx);
  stream& on() noexcept { return *stream_; }
  // True if no unread byte is here or in the socket.
  bool is_quiet() const { return begin_ == end_ && stream_->is_quiet(); }
  void drop_buffer() noexcept;

 private:
  stream_ptr stream_;
  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0, end_ = 0;
};

// Any fiber or thread.
class conn_pool {
 public:
  conn_pool() = default;
  conn_pool(const conn_pool&) = delete;
  conn_pool& operator=(const conn_pool&) = delete;
  ~conn_pool() { close_all(); }

  // The youngest connection with this key.
  std::optional<client_conn> take(const std::string& key);
  // Closes the connection if it cannot be kept. `self` owns this pool.
  static void give(const std::shared_ptr<conn_pool>& self, const std::string& key, client_conn c);
  void close_all();

  std::size_t max_idle = 64;             // set before the first use
  duration idle_time = std::chrono::seconds(90);

 private:
  struct kept {
    std::string key;
    client_conn c;
    time_point since;
  };
  using list = std::list<kept>;
  bool is_too_old(const kept& k) const;
  void start_keeper_locked(const std::shared_ptr<conn_pool>& self);
  static void keep(const std::weak_ptr<conn_pool>& pool, const context& life);
  bool look();

  mutex lock_;
  list kept_;                            // these under lock_; the youngest last
  std::optional<cancelable> keeper_;
  time_point next_look_{};               // a keeper that is late was abandoned by a world that has ended
};

}  // namespace weft::http::detail
