// One request and its answer on a connection, and what the connection keeps between two of them.
#pragma once
#include <weft/http.h>
#include <weft/wait_group.h>

#include <boost/beast/http.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/stream.h"

namespace weft::http::impl {

namespace beast_http = boost::beast::http;

// Bytes read and not parsed yet.
class input {
 public:
  std::string_view rest() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) noexcept { begin_ += n; }
  std::error_code fill(stream& c);
  std::error_code fill(const context& ctx, stream& c);

 private:
  template <class Read>
  std::error_code fill_by(Read read);
  void make_room();
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, begin_ = 0, end_ = 0;
};

// Watches the connection while a handler runs that wants to know whether its client is still there.
class watcher {
 public:
  watcher(stream& c, input& in) noexcept : conn_(c), in_(in) {}
  ~watcher() { stop(); }
  // Made at the first call.
  const context& ctx(const context& parent);
  void stop();

 private:
  stream& conn_;
  input& in_;
  std::optional<cancelable> request_;   // the handler's
  std::optional<cancelable> watching_;  // the fiber's
  wait_group fiber_;
};

struct exchange {
  using parser = beast_http::request_parser<beast_http::string_body>;

  exchange(stream& c, input& in, const context& of_server, const limits& l);

  // ---- the request
  stream& conn;
  const context& of_server;
  const limits& bounds;
  parser request;
  std::string path;
  std::vector<std::pair<std::string, std::string>> path_values;
  watcher watch;

  const parser::value_type& message() const { return request.get(); }

  // ---- the answer
  int status = 200;
  bool head_sent = false, chunked = false, close_after = false;
  std::error_code error;                // of writing: nothing more is sent
  std::string headers;                  // "Name: value\r\n"...
  bool has_length = false, has_type = false, has_date = false;
  std::string body;                     // what is not sent yet

  bool sends_body() const;
  void send_part(bool last);
};

// What a percent-encoded text means; '+' is a blank in queries only.
enum class encoding { path, query };
std::string decoded(std::string_view s, encoding e);

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", of now.
void append_date(std::string& head);

// When that much time will have passed, to within some milliseconds; not before.
time_point in_about(duration d) noexcept;

}  // namespace weft::http::impl
