#include "net/http/answer_body.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace weft::http::detail {
namespace {

constexpr std::size_t max_line = 4096;                 // a chunk's size with its extensions
constexpr std::uint64_t free_framing = 16 << 10;       // bytes of framing that need no data beside them

std::error_code malformed() { return make_error_code(std::errc::bad_message); }

// One number, or a list of equal ones (RFC 9112 section 6.3). A number too large for 64 bits is the
// largest one.
bool parse_length(std::string_view value, std::uint64_t& n) {
  bool first = true;
  for (;;) {
    const auto comma = value.find(',');
    const std::string_view one = trimmed(value.substr(0, comma));
    if (one.empty() || one.find_first_not_of("0123456789") != std::string_view::npos) return false;
    std::uint64_t parsed = std::numeric_limits<std::uint64_t>::max();
    (void)std::from_chars(one.data(), one.data() + one.size(), parsed);
    if (!first && parsed != n) return false;
    n = parsed;
    first = false;
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

// All values of a field, as one list.
std::string joined(const header_list& all, std::string_view name, bool& found) {
  std::string list;
  found = false;
  for (const auto& [key, value] : all) {
    if (!same_word(key, name)) continue;
    if (found) list += ',';
    list += value;
    found = true;
  }
  return list;
}

}  // namespace

std::error_code body_decoder::begin(const answer_head& h, std::string_view method, std::size_t max_trailers) {
  max_trailers_ = max_trailers;
  if (method == "HEAD" || h.status < 200 || h.status == 204 || h.status == 304) return {};
  bool has_coding = false, has_length = false;
  const std::string coding = joined(h.headers, "Transfer-Encoding", has_coding);
  const std::string length = joined(h.headers, "Content-Length", has_length);
  if (has_coding) {
    // A client that sends no TE gets chunked alone; HTTP/1.0 has no codings (RFC 9112 sections 6.1
    // and 7.4).
    if (h.minor == 0 || !same_word(trimmed(coding), "chunked")) return malformed();
    reusable_ = !has_length;
    state_ = state::chunk_size;
    return {};
  }
  if (!has_length) {
    state_ = state::until_end;
    reusable_ = false;
    return {};
  }
  if (!parse_length(length, left_)) return malformed();
  announced_ = left_;
  state_ = left_ == 0 ? state::done : state::counted;
  return {};
}

// Moves a line up to its LF from `in` to line_. True if it is whole.
bool body_decoder::take_line(std::string_view in, body_piece& p, std::size_t limit) {
  const auto end = in.find('\n');
  const std::size_t n = end == std::string_view::npos ? in.size() : end + 1;
  p.used = n;
  framing_ += n;
  if (line_.size() + n > limit || framing_ > free_framing + max_trailers_ + data_) {
    p.err = make_error_code(std::errc::message_size);
    return false;
  }
  line_ += in.substr(0, n);
  return end != std::string_view::npos;
}

std::error_code body_decoder::begin_chunk(std::string_view line) {
  // A lone LF here is what makes two parsers see two messages: no leniency.
  if (!line.ends_with("\r\n")) return malformed();
  line.remove_suffix(2);
  if (line.find('\r') != std::string_view::npos) return malformed();
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  if (error == std::errc::result_out_of_range) return make_error_code(std::errc::message_size);
  if (error != std::errc()) return malformed();
  const std::string_view rest = trimmed(line.substr(static_cast<std::size_t>(end - line.data())));
  if (!rest.empty() && rest.front() != ';') return malformed();
  state_ = left_ == 0 ? state::trailer : state::chunk_data;
  return {};
}

body_piece body_decoder::take(std::string_view in) {
  body_piece p;
  switch (state_) {
    case state::done: break;
    case state::until_end:
      p.used = in.size();
      p.data = in;
      break;
    case state::counted:
    case state::chunk_data:
      p.data = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), left_)));
      p.used = p.data.size();
      left_ -= p.used;
      data_ += p.used;
      if (left_ == 0) state_ = state_ == state::counted ? state::done : state::chunk_end;
      break;
    case state::chunk_end:
      if (!take_line(in, p, 2)) {
        if (p.err || (line_ != "\r" && !line_.empty())) p.err = malformed();
        break;
      }
      if (line_ != "\r\n") p.err = malformed();
      line_.clear();
      state_ = state::chunk_size;
      break;
    case state::chunk_size:
      if (!take_line(in, p, max_line)) break;
      p.err = begin_chunk(line_);
      line_.clear();
      break;
    case state::trailer:
      if (!take_line(in, p, max_trailers_)) break;
      if (line_ == "\r\n" || line_.ends_with("\n\r\n")) {
        p.err = parse_fields(line_, trailers_);
        line_.clear();
        state_ = state::done;
      }
      break;
  }
  return p;
}

std::error_code body_decoder::end_of_stream() {
  if (state_ != state::until_end) return make_error_code(std::errc::connection_aborted);
  state_ = state::done;
  return {};
}

}  // namespace weft::http::detail
