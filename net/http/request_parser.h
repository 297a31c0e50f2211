// A request's head and the chunks of its body, as RFC 9112 allows them.
//
// Boost.Beast parses. It gets a head when it is complete, so that its views stay valid and no head
// is longer than the server's limit. What Beast leaves to its user is checked here: nothing that
// RFC 9112 refuses reaches a handler.
//
// A body with a Content-Length is not Beast's: its bytes are counted.
#pragma once
#include <weft/http.h>

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/syntax.h"

namespace weft::http::detail {

namespace beast_http = boost::beast::http;

// Finds where a head ends. Remembers what it has read of a text that grows.
class head_finder {
 public:
  enum class found { nothing, empty_line, head, bad };
  // `empty_line`: an empty line before the request, of end() bytes, to be skipped. `bad`: a line
  // that CR LF does not end, or a first byte that begins no method.
  found look(std::string_view text) noexcept;
  // Bytes of the head with its empty line.
  std::size_t end() const noexcept { return end_; }
  // The request line is complete.
  bool has_line() const noexcept { return line_ > 0; }

 private:
  std::size_t seen_ = 0, line_ = 0, end_ = 0;
};

class request_parser final : beast_http::basic_parser<true> {
 public:
  // Fields, or trailers, of one request.
  static constexpr std::size_t max_fields = 1000;

  request_parser();

  // Parses and checks a complete head; its bytes must stay where they are. Returns 0, or the status
  // to refuse it with.
  int parse_head(std::string_view text);

  std::string_view method, target_text;
  request_target target;
  int version = 11;  // 10 or 11
  std::vector<header_field> fields;
  bool keeps_alive = false, expects_continue = false;
  bool chunked = false;
  std::uint64_t length = 0;  // of a body that is not chunked
  std::vector<std::pair<std::string, std::string>> trailers;

  // The first value; empty if there is none.
  std::string_view field(std::string_view name) const noexcept;

  // Decodes chunks from `from` into `to`. `refused`: the status, or 0.
  struct decoded_part {
    std::size_t consumed = 0, produced = 0;
    int refused = 0;
    bool done = false;
  };
  decoded_part decode(std::string_view from, std::span<std::byte> to, std::uint64_t max_body);

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using verb = beast_http::verb;

  int check_framing();
  bool wants_to_stay() const;
  int check_host();
  int check_expect();

  void on_request_impl(verb, string_view method_text, string_view target_in, int v, error_code& e) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(beast_http::field, string_view name, string_view value, error_code& e) override;
  // Called by newer releases of Beast instead of on_field_impl.
  virtual void on_trailer_field_impl(beast_http::field f, string_view name, string_view value, error_code& e) {
    on_field_impl(f, name, value, e);
  }
  void on_header_impl(error_code& e) override { e = {}; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& e) override { e = {}; }
  std::size_t on_body_impl(string_view, error_code& e) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& e) override;
  std::size_t on_chunk_body_impl(std::uint64_t, string_view data, error_code& e) override;
  void on_finish_impl(error_code& e) override { e = {}; }

  std::string_view head_;
  std::span<std::byte> room_;
  std::size_t produced_ = 0;
  std::uint64_t max_body_ = 0, body_size_ = 0, extension_bytes_ = 0, chunk_left_ = 0;
  int refused_ = 0;
};

}  // namespace weft::http::detail
