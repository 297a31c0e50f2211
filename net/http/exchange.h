// One request and its answer on a connection.
#pragma once
#include <weft/http.h>
#include <weft/mutex.h>
#include <weft/wait_group.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/gzip.h"
#include "net/http/input.h"
#include "net/http/request_parser.h"
#include "net/http/server_state.h"
#include "net/http/stream.h"
#include "net/http/syntax.h"

namespace weft::http::detail {

// Watches the connection while a handler runs that has called request::ctx(). One fiber of the
// handler may read the body while another one calls that for the first time.
class watcher {
 public:
  watcher(stream& c, input& in) noexcept : conn_(c), in_(in) {}
  ~watcher() { stop(); }
  // Made at the first call.
  const context& ctx(const context& parent);
  // The connection may be read from now on: the body has been.
  void body_has_ended();
  // The connection is the handler's: it is not read any more. The context stays.
  void release();
  // As release(), and cancels the context.
  void stop();

 private:
  void begin_locked();
  stream& conn_;
  input& in_;
  mutex lock_;
  bool may_read_ = false;               // these under lock_
  std::optional<cancelable> request_;   // the handler's
  std::optional<cancelable> watching_;  // the fiber's
  wait_group fiber_;
};

// The body of a request, as far as it has come.
struct incoming_body {
  std::string text;                     // read, from `taken` on not yet returned by request::read()
  std::size_t taken = 0;
  std::uint64_t left = 0;               // bytes to come, if it is not chunked
  bool done = false, continued = false;
  std::error_code error;                // why it cannot be read
  int status = 0;                       // with error
};

struct exchange {
  exchange(server_state& s, server_state::place at, stream& c, input& bytes);

  server_state& server;
  const server_state::place here;
  stream& conn;
  input& in;

  // ---- the request
  const limits* bounds;                 // the server's, or own_bounds
  limits own_bounds;                    // of this route
  std::string head;                     // its bytes
  request_parser request;
  std::string path;
  value_list path_values;
  std::string_view pattern;
  std::optional<tls::connection_state> tls;
  watcher watch;
  incoming_body body_in;

  // body.cc. Prepares the body: decodes what has come with the head. Returns 0 or the status to
  // refuse with.
  int begin_body();
  // Reads at least one byte, or to the end: 0.
  result<std::size_t> read_body(std::span<std::byte> to);
  void read_whole_body();
  // A rest that is short is read and dropped. False: the connection cannot be used any more.
  bool can_drop_body() const;
  bool drop_body();

  // ---- the answer
  int status = 200;
  bool head_sent = false, chunked = false, hijacked = false;
  std::atomic<bool> close_after = false;  // by the fiber that reads the body, and by another one that answers
  std::error_code error;                // of writing: nothing more is sent
  value_list headers;
  std::string connection;               // elements of Connection that the handler has set
  std::optional<std::uint64_t> length;  // that the handler has set
  std::string length_text;              // the same, as text
  std::uint64_t written = 0;            // bytes of the body that the handler has written
  std::string body;                     // of them, not sent yet
  bool compress = false;                // if the client accepts it
  std::unique_ptr<deflater> packer;     // compresses this answer
  bool packs_head = false;              // the head is of HEAD, and GET's answer would be compressed
  bool until_end = false;               // the end of the connection is the end of the body

  // Orders "100 Continue", which a read of the body may send, before the head. Only if the client
  // waits for it.
  mutex before_head;

  // answer.cc
  bool sends_body() const;
  bool opens_tunnel() const;
  // Before each write: limits::write_time.
  void bound_write();
  // Sends the head if it has not been sent, what is buffered, and `more`. `last`: the body ends
  // here.
  void send_part(std::string_view more, bool last);
  void send_informational(int code, std::string_view more_headers);
  // Sends the rest of an answer, or ends one that is too short.
  void finish();
  // Answers with a status and its words instead of a handler.
  void refuse(int code);

 private:
  void append_head(std::string& to, bool last, std::size_t size);
  void begin_compression(std::size_t size, bool last);
  std::error_code fail_body(int code, std::error_code why);
  void end_body();
  std::error_code ask_for_body();
};

}  // namespace weft::http::detail
