// One request on one connection, and its answer as it comes.
//
// A request that may not fit the kernel's buffers is written by a fiber of its own, so that an
// answer that comes early is read while the body is still being written. The connection is kept
// only after a request that was written whole and an answer that was read whole.
#pragma once
#include <weft/http_client.h>
#include <weft/mutex.h>
#include <weft/wait_group.h>

#include <memory>
#include <optional>
#include <string>

#include "net/http/answer_body.h"
#include "net/http/client_conn.h"
#include "net/http/client_request.h"
#include "net/http/gunzip.h"

namespace weft::http::detail {

// now() + d, but at most `end`; `end` for a d of 0.
time_point bounded(duration d, time_point end) noexcept;

class incoming {
 public:
  // `end`: when client_limits::total_time ends.
  incoming(client_conn c, const context& ctx, const client_limits& l, time_point end)
      : conn_(std::move(c)), ctx_(ctx), limits_(l), end_(end) {}
  incoming(const incoming&) = delete;
  incoming& operator=(const incoming&) = delete;
  ~incoming() { stop_writing(); }

  // Writes the request and reads the head of the answer. `text`: the request's head. The request
  // must not change until this is closed or destroyed.
  std::error_code start(std::shared_ptr<const outgoing> request, std::string text);
  // After start() failed: the peer ended the connection before it answered, and the request may be
  // sent again.
  bool may_repeat(const std::error_code& e) const;
  // Where the connection goes after the answer.
  void keep_in(std::shared_ptr<conn_pool> pool, std::string key);

  result<std::size_t> read(std::span<std::byte> to);
  std::uint64_t announced() const { return body_.announced(); }
  // Reads a small rest of the body, so that the connection can be kept.
  void drain();
  void close();

  answer_head head;
  header_list& trailers() { return body_.trailers(); }

 private:
  std::error_code write_request(const std::string& text);
  std::error_code write_parts();
  std::error_code write(std::string_view text);
  void start_writing(std::string text);
  void stop_writing();
  std::error_code read_head();
  std::error_code fill();
  result<std::string_view> next_data();
  result<std::size_t> read_gzip(std::span<std::byte> to);
  void finish();

  client_conn conn_;
  const context ctx_;
  const client_limits limits_;
  const time_point end_;
  std::shared_ptr<conn_pool> pool_;
  std::string key_;
  std::shared_ptr<const outgoing> request_;

  bool something_came_ = false, used_parts_ = false, request_closes_ = false, finished_ = false;
  std::size_t written_ = 0;                  // the writer's until it has ended
  std::error_code write_error_;
  mutex writing_;
  bool written_whole_ = false, head_came_ = false;  // under writing_
  std::optional<cancelable> writer_life_;
  wait_group writer_;

  body_decoder body_;
  std::string_view pending_;                 // data in conn_'s buffer
  std::uint64_t packed_ = 0, unpacked_ = 0;  // bytes that went through gunzip_
  std::unique_ptr<gunzip> gunzip_;
  std::error_code end_error_;                // what read() returns from now on
};

}  // namespace weft::http::detail
