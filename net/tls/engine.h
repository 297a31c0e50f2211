// The protocol alone: bytes of the one side go in, bytes for the other come out, and nothing ever
// waits.
//
// An SSL must not be used by several threads, and several fibers read, write and close a
// connection. So each call into it holds a lock while it computes. It reads and writes memory;
// session.h carries the bytes to and from the socket and may wait. OpenSSL's error queue belongs to
// the thread, so it is emptied before the call returns.
//
// Refused: an SSL upon the socket itself, which would have to hold the lock while it waits, so that
// a reader would keep the writer out; a BIO of our own, which would save a copy that is small
// beside the encryption.
#pragma once
#include <weft/mutex.h>

#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

#include "net/tls/settings.h"

namespace weft::tls::detail {

struct step {
  std::size_t n = 0;
  std::error_code err = {};
  bool wants_input = false;  // call it again after feed()
  bool has_output = false;  // take_output() has bytes for the peer
};

// Any fiber or thread. Reading may have output too: an alert, a refusal of renegotiation.
class engine {
 public:
  // Empty until it has one: that comes before everything else.
  void start(ssl_ptr ssl) noexcept { ssl_ = std::move(ssl); }

  step handshake();
  // weft::errc::eof once the peer has said that there is no more.
  step read(std::span<std::byte> to);
  // Encrypts all of it.
  step write(std::span<const std::byte> data);
  // Says that there is no more, if there is a partner who would understand.
  void say_goodbye();

  void feed(std::span<const std::byte> from_peer);
  // True if something that was fed has not been read.
  bool has_input();
  // Appends what is for the peer.
  void take_output(std::vector<std::byte>& to);
  // The bytes that take_output() would append.
  std::size_t output_size();
  // Reads and writes return an error from now on: an earlier one, or `why`. Returns it. Drops what
  // is for the peer.
  std::error_code fail(std::error_code why);

  // Frees the room of bytes that have passed. Large records make it large, and OpenSSL keeps it.
  void give_back_buffers();

  connection_state state(bool checks_peer);

 private:
  step outcome_of(int ret, std::size_t n);

  mutex lock_;
  ssl_ptr ssl_;  // these under lock_
  std::error_code broken_;  // nothing more can be done
};

}  // namespace weft::tls::detail
