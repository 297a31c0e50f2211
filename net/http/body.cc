// The body of a request: read when the handler reads it, so a client is no faster than the handler,
// and no more than a buffer of it is in memory.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include <algorithm>
#include <cstring>
#include <mutex>

#include "net/http/exchange.h"

namespace weft::http::detail {

namespace {

constexpr std::size_t body_room = 16 << 10;
// Of a body that its handler has not read: what is read and dropped to keep the connection.
constexpr std::uint64_t most_dropped = 256 << 10;

}  // namespace

void exchange::end_body() {
  body_in.done = true;
  watch.body_has_ended();
}

std::error_code exchange::fail_body(int code, std::error_code why) {
  close_after = true;
  body_in.status = code;
  return body_in.error = why;
}

int exchange::begin_body() {
  const std::string_view rest = in.rest();
  if (!request.chunked) {
    if (request.length > bounds->max_body) return 413;
    body_in.left = request.length;
    if (request.length > rest.size()) return 0;
    body_in.text = rest.substr(0, static_cast<std::size_t>(request.length));
    in.consume(body_in.text.size());
    end_body();
    return 0;
  }
  if (rest.empty()) return 0;
  body_in.text.resize(rest.size());
  const auto part = request.decode(rest, std::as_writable_bytes(std::span(body_in.text)), bounds->max_body);
  body_in.text.resize(part.produced);
  in.consume(part.consumed);
  if (part.done) end_body();
  return part.refused;
}

// A client that waits for 100 gets it when its body is needed.
std::error_code exchange::ask_for_body() {
  if (!request.expects_continue || body_in.continued) return {};
  const std::lock_guard hold(before_head);
  if (head_sent) return {};
  body_in.continued = true;
  bound_write();
  return conn.write("HTTP/1.1 100 Continue\r\n\r\n").err;
}

result<std::size_t> exchange::read_body(std::span<std::byte> to) {
  if (body_in.error) return {0, body_in.error};
  if (to.empty()) return {0, {}};
  for (;;) {
    if (body_in.done) return {0, {}};
    if (const std::string_view rest = in.rest(); !rest.empty() && request.chunked) {
      const auto part = request.decode(rest, to, bounds->max_body);
      in.consume(part.consumed);
      if (part.refused != 0)
        return {0, fail_body(part.refused,
                             make_error_code(part.refused == 413 ? std::errc::message_size : std::errc::bad_message))};
      if (part.done) end_body();
      if (part.produced > 0 || part.done) return {part.produced, {}};
      if (in.rest().size() >= bounds->max_header) return {0, fail_body(431, make_error_code(std::errc::bad_message))};
    } else if (!rest.empty()) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>({rest.size(), to.size(), body_in.left}));
      std::memcpy(to.data(), rest.data(), n);
      in.consume(n);
      body_in.left -= n;
      if (body_in.left == 0) end_body();
      return {n, {}};
    }
    std::error_code e = ask_for_body();
    if (!e && !request.chunked && to.size() >= input::read_size) {
      auto [n, err] = conn.read(to.first(static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), body_in.left))));
      body_in.left -= n;
      if (body_in.left == 0) end_body();
      if (!err) return {n, {}};
      e = err;
    } else if (!e) {
      e = in.fill(conn);
    }
    if (!e) continue;
    const bool late = e == weft::errc::timeout;
    return {0, fail_body(late ? 408 : 400, e == weft::errc::eof ? make_error_code(std::errc::bad_message) : e)};
  }
}

void exchange::read_whole_body() {
  std::string& text = body_in.text;
  while (!body_in.done && !body_in.error) {
    const std::size_t size = text.size();
    std::size_t room = std::max(body_room, size);
    if (!request.chunked) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, body_in.left));
    if (text.capacity() < size + room) text.reserve(size + room);
    text.resize(size + std::min(room, body_room * 4));
    const auto [n, err] = read_body(std::as_writable_bytes(std::span(text).subspan(size)));
    text.resize(size + n);
  }
}

bool exchange::can_drop_body() const {
  if (body_in.done) return true;
  if (body_in.error || request.chunked || body_in.left > most_dropped) return false;
  return !request.expects_continue || body_in.continued;
}

bool exchange::drop_body() {
  if (!can_drop_body()) return false;
  std::byte rest[1024];
  while (!body_in.done)
    if (read_body(rest).err) return false;
  return true;
}

}  // namespace weft::http::detail
