// The protocol alone: bytes of the one side go in, bytes for the other come out, and nothing ever waits.
//
// An SSL is not made for several threads, and a connection is read, written and closed by several fibers. So each
// call into it holds a lock, for as long as it computes. It reads and writes memory; the bytes are carried to and
// from the socket outside, by whoever may wait for that. OpenSSL's error queue is the thread's, so it is emptied
// before the call returns.
//
// Refused: an SSL upon the socket itself, which would have to hold the lock while it waits, so that a reader
// would keep the writer out; a BIO of our own, which would save a copy that is small beside the encryption.
#pragma once
#include <weft/mutex.h>

#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

#include "net/tls/settings.h"

namespace weft::tls::impl {

struct step {
  std::size_t n = 0;
  std::error_code err = {};
  bool wants_input = false;  // it can go on after feed()
  bool has_output = false;   // there is something for the peer
};

// Any fiber or thread. Reading may have output too: an alert, a refusal to negotiate anew.
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
  // Appends what is for the peer.
  void take_output(std::vector<std::byte>& to);

  connection_state state(bool checks_peer);

 private:
  step outcome_of(int ret, std::size_t n);

  mutex lock_;
  ssl_ptr ssl_;              // these under lock_
  std::error_code broken_;   // nothing more can be done
};

}  // namespace weft::tls::impl
