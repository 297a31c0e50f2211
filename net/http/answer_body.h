// Where a response's body ends, and what of the bytes on the wire is body. RFC 9112 sections 6 and
// 7.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "net/http/answer_head.h"

namespace weft::http::detail {

struct body_piece {
  std::size_t used = 0;        // bytes of the input
  std::string_view data = {};  // body, a part of the input
  std::error_code err = {};
};

// Takes bytes as they come and never waits. Holds at most one line of chunked framing, and the
// trailers, which are bounded by `max_trailers` bytes.
class body_decoder {
 public:
  // The framing of the response `h` to a request with this method. Returns std::errc::bad_message
  // if it is not valid.
  std::error_code begin(const answer_head& h, std::string_view method, std::size_t max_trailers);

  // Takes a part of `in`, which is not empty, while !done().
  body_piece take(std::string_view in);
  // The connection ended. Returns std::errc::connection_aborted unless the body ends with it.
  std::error_code end_of_stream();

  bool done() const noexcept { return state_ == state::done; }
  // False if only the connection's end ends the body, or if the framing was ambiguous.
  bool reusable() const noexcept { return reusable_; }
  // The body's size if the head says it, else 0.
  std::uint64_t announced() const noexcept { return announced_; }
  header_list& trailers() noexcept { return trailers_; }

 private:
  enum class state { counted, until_end, chunk_size, chunk_data, chunk_end, trailer, done };
  std::error_code begin_chunk(std::string_view line);
  bool take_line(std::string_view in, body_piece& p, std::size_t limit);

  state state_ = state::done;
  bool reusable_ = true;
  std::uint64_t left_ = 0, announced_ = 0;
  std::uint64_t framing_ = 0, data_ = 0;  // bytes of chunked framing and of data
  std::size_t max_trailers_ = 0;
  std::string line_;  // a line of framing that has not come whole, or the trailers
  header_list trailers_;
};

}  // namespace weft::http::detail
