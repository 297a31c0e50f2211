// A connection: the engine, the socket, and whose turn it is to carry bytes between them.
//
// A reader feeds the engine from the socket, a writer carries its output there, and each of the two
// turns is held while its holder waits. The turns are independent, so a writer that is stuck keeps
// no reader from reading. Closing takes no turn: it closes the socket, which ends both.
//
// An alert of a reader for the peer (its bytes are broken, say), and that of a close, goes out if
// the socket takes it without blocking and no writer is under way. Waiting for that would make a
// peer that does not read stop the reader.
//
// A reader that waits, perhaps for hours, holds no buffer of large records: it waits in receive(),
// which has a kilobyte on its stack or 4 KiB from a pool, and gives back first what such records
// have left behind, here and in the engine. While it waits, a writer does the same at its end.
#pragma once
#include <weft/mutex.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "net/tls/engine.h"

namespace weft::tls::detail {

class session {
 public:
  session(net::conn c, const config& how, side s);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  // A context may be null: none.
  std::error_code handshake(const context* ctx);
  result<std::size_t> read(const context* ctx, std::span<std::byte> buf);
  result<std::size_t> write(const context* ctx, std::span<const std::byte> data);
  std::error_code close_write();
  std::error_code close();

  enum class direction { reading, writing, both };
  void set_deadline(direction d, time_point at);

  bool has_buffered() { return engine_.has_input(); }
  connection_state state() { return engine_.state(checks_peer_); }
  const net::conn& socket() const noexcept { return socket_; }

 private:
  std::error_code agree(const context* ctx);
  std::error_code read_more(const context* ctx);
  void rest();
  void give_back_buffers_locked();
  std::error_code send(const context* ctx);
  std::error_code tell_at_once();
  void tell_at_once_locked();
  void linger_locked();
  void begin_handshake_time();
  void end_handshake_time();
  void apply_deadlines_locked() const;
  bool write_is_late();

  const net::conn socket_;
  const handshake_settings settings_;  // the engine looks here
  const duration handshake_time_;
  const bool checks_peer_;
  engine engine_;

  mutex agreeing_;
  std::error_code cannot_begin_;
  bool agreed_ = false;  // under agreeing_

  mutex reading_;
  // For large records, while more arrives. Under reading_, or agreeing_ before they have
  // agreed.
  std::unique_ptr<std::byte[]> in_;
  // Set when a buffer becomes large; cleared when all of them are given back.
  std::atomic<bool> holds_buffers_{false};
  std::atomic<bool> rests_{false};  // the reader waits: a writer gives back what it has used

  mutex writing_;
  std::vector<std::byte> out_;  // under writing_: for the socket
  std::error_code write_end_;  // under writing_: nothing more can be written
  bool said_goodbye_ = false;  // under writing_: the peer knows where the stream ends

  mutex deadlines_;
  bool handshake_is_timed_ = true;  // under deadlines_, and so are these
  time_point read_at_, write_at_, handshake_at_ = time_point::max();
};

}  // namespace weft::tls::detail
