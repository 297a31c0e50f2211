#include "net/http/incoming.h"

#include <weft/go.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace weft::http::detail {
namespace {

// What a new connection's send buffer takes in any case.
constexpr std::size_t small_request = 8 << 10;
constexpr std::size_t write_piece = 64 << 10;
constexpr std::size_t part_size = 16 << 10;
constexpr std::uint64_t max_drain = 64 << 10;

bool is_end_of_connection(const std::error_code& e) {
  return e == weft::errc::eof || e == std::errc::connection_reset || e == std::errc::broken_pipe ||
         e == tls::errc::unexpected_eof;
}

}  // namespace

time_point bounded(duration d, time_point end) noexcept {
  if (d.count() <= 0) return end;
  const time_point at = now();
  return end - at < d ? end : at + d;
}

std::error_code incoming::write(std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, write_piece);
    conn_.on().set_write_deadline(bounded(limits_.silent_time, end_));
    const auto [n, err] = conn_.on().write(writer_life_ ? writer_life_->ctx : ctx_, piece);
    written_ += n;
    if (err) return err;
    text.remove_prefix(piece.size());
  }
  return {};
}

std::error_code incoming::write_parts() {
  const outgoing& o = *request_;
  const bool chunked = !o.r.body_size;
  std::uint64_t left = o.r.body_size.value_or(0);
  std::string part(part_size, '\0');
  for (;;) {
    const auto [n, err] = o.r.body_parts(std::as_writable_bytes(std::span(part)));
    if (err) return err;
    if (n > part.size() || (!chunked && n > left)) return make_error_code(std::errc::invalid_argument);
    if (n == 0) break;
    left -= chunked ? 0 : n;
    const std::string_view data(part.data(), n);
    std::string text;
    if (chunked) {
      char size[20];
      const int digits = std::snprintf(size, sizeof size, "%zx\r\n", n);
      text.append(size, static_cast<std::size_t>(digits)).append(data) += "\r\n";
    }
    if (const std::error_code e = write(chunked ? std::string_view(text) : data)) return e;
  }
  if (left > 0) return make_error_code(std::errc::invalid_argument);
  return chunked ? write("0\r\n\r\n") : std::error_code();
}

std::error_code incoming::write_request(const std::string& text) {
  const outgoing& o = *request_;
  if (o.has_parts()) {
    used_parts_ = true;
    const std::error_code e = write(text);
    return e ? e : write_parts();
  }
  if (text.size() + o.r.body.size() <= write_piece) return write(text + o.r.body);
  const std::error_code e = write(text);
  return e ? e : write(o.r.body);
}

// The answer may come while this writes, so the bound for its head begins when this ends.
void incoming::start_writing(std::string text) {
  writer_life_.emplace(with_cancel(ctx_));
  writer_.go([this, text = std::move(text)] {
    std::error_code e;
    try {
      e = write_request(text);
    } catch (const std::bad_alloc&) {  // not of the process: the caller gets it
      e = make_error_code(std::errc::not_enough_memory);
    }
    const std::lock_guard hold(writing_);
    write_error_ = e;
    written_whole_ = !e;
    if (head_came_) return;
    // A peer that has ended the connection may have answered before. After any other error the read
    // ends.
    const bool peer_ended = is_end_of_connection(e);
    conn_.on().set_read_deadline(e && !peer_ended ? now() : bounded(limits_.head_time, end_));
  });
}

void incoming::stop_writing() {
  if (!writer_life_) return;
  writer_life_->cancel();
  writer_.wait();
  writer_life_.reset();
}

std::error_code incoming::start(std::shared_ptr<const outgoing> request, std::string text) {
  request_ = std::move(request);
  const outgoing& o = *request_;
  request_closes_ = lists(o.r.headers, "Connection", "close");
  const bool in_parallel = weft::detail::in_fiber() && (o.has_parts() || text.size() + o.r.body.size() > small_request);
  conn_.on().set_read_deadline(in_parallel ? end_ : bounded(limits_.head_time, end_));
  if (in_parallel) {
    start_writing(std::move(text));
  } else {
    write_error_ = write_request(text);
    written_whole_ = !write_error_;
    // The peer may have answered although it did not take all.
    if (write_error_ && !is_end_of_connection(write_error_)) return write_error_;
    conn_.on().set_read_deadline(bounded(limits_.head_time, end_));
  }
  std::error_code err = read_head();
  if (!err) {
    err = body_.begin(head, o.r.method, limits_.max_head);
  } else {
    stop_writing();
    if (write_error_ && write_error_ != weft::errc::canceled && !something_came_) err = write_error_;
  }
  if (err) return ctx_.err() ? ctx_.err() : err;
  if (o.accepts_gzip && !body_.done() && same_word(trimmed(find_field(head.headers, "Content-Encoding")), "gzip")) {
    gunzip_ = make_gunzip();
    remove_fields(head.headers, "Content-Encoding");
    remove_fields(head.headers, "Content-Length");
  }
  return {};
}

bool incoming::may_repeat(const std::error_code& e) const {
  return !something_came_ && !used_parts_ && is_end_of_connection(e) && (request_->is_idempotent() || written_ == 0);
}

void incoming::keep_in(std::shared_ptr<conn_pool> pool, std::string key) {
  pool_ = std::move(pool);
  key_ = std::move(key);
}

std::error_code incoming::fill() {
  const std::error_code e = conn_.fill(ctx_);
  something_came_ = something_came_ || !e;
  return e;
}

// The final head. The provisional ones count for the same limit.
std::error_code incoming::read_head() {
  std::size_t left = limits_.max_head;
  for (;;) {
    std::string text;
    head_scanner scanner;
    std::size_t size = std::string::npos;
    while (size == std::string::npos) {
      if (conn_.rest().empty()) {
        if (const std::error_code e = fill()) {
          const bool cut_off = something_came_ && is_end_of_connection(e);
          return cut_off ? make_error_code(std::errc::connection_aborted) : e;
        }
      }
      const std::string_view rest = conn_.rest();
      const std::size_t before = text.size();
      text += rest;
      size = scanner.find_end(text);
      if (std::min(size, text.size()) > left) return make_error_code(std::errc::message_size);
      conn_.consume(size == std::string::npos ? rest.size() : size - before);
    }
    left -= size;
    head = {};
    if (const std::error_code e = parse_head(std::string_view(text).substr(0, size), head)) return e;
    if (head.status == 101 && !lists(request_->r.headers, "Connection", "upgrade"))
      return make_error_code(std::errc::bad_message);
    if (head.status >= 200 || head.status == 101) break;
  }
  const std::lock_guard hold(writing_);
  head_came_ = true;
  return {};
}

result<std::string_view> incoming::next_data() {
  for (;;) {
    if (body_.done()) return {{}, weft::errc::eof};
    if (conn_.rest().empty()) {
      conn_.on().set_read_deadline(bounded(limits_.silent_time, end_));
      if (const std::error_code e = fill()) {
        if (e == weft::errc::eof) {
          const std::error_code cut_off = body_.end_of_stream();
          return {{}, cut_off ? cut_off : make_error_code(weft::errc::eof)};
        }
        return {{}, ctx_.err() ? ctx_.err() : e};
      }
    }
    const body_piece p = body_.take(conn_.rest());
    conn_.consume(p.used);
    if (p.err) return {{}, p.err};
    if (!p.data.empty()) return {p.data, {}};
  }
}

result<std::size_t> incoming::read_gzip(std::span<std::byte> to) {
  // Names, empty blocks and empty members without end would be no body that a limit counts. A good
  // stream that flushes each byte takes about 7 bytes for it.
  constexpr std::uint64_t free_packed = 128 << 10, most_per_byte = 64;
  for (;;) {
    const auto [n, wrong] = gunzip_->inflate(pending_, to);
    unpacked_ += n;
    if (wrong || n > 0) return {n, wrong};
    if (packed_ > free_packed + most_per_byte * unpacked_) return {0, make_error_code(std::errc::message_size)};
    auto [data, err] = next_data();
    packed_ += data.size();
    if (err == weft::errc::eof && !gunzip_->is_complete()) err = make_error_code(std::errc::bad_message);
    if (err) return {0, err};
    pending_ = data;
  }
}

result<std::size_t> incoming::read(std::span<std::byte> to) {
  if (end_error_ || to.empty()) return {0, end_error_};
  result<std::size_t> got;
  if (gunzip_) {
    got = read_gzip(to);
  } else {
    if (pending_.empty()) {
      auto [data, err] = next_data();
      pending_ = data;
      got.err = err;
    }
    if (!got.err) {
      got.value = std::min(to.size(), pending_.size());
      std::memcpy(to.data(), pending_.data(), got.value);
      pending_.remove_prefix(got.value);
    }
  }
  if (!got.err) return got;
  end_error_ = got.err;
  if (got.err == weft::errc::eof) finish();
  else close();
  return got;
}

// The answer is complete: keeps the connection, or closes it.
void incoming::finish() {
  if (finished_) return;
  bool whole = false;
  {
    const std::lock_guard hold(writing_);
    whole = written_whole_;
  }
  stop_writing();
  finished_ = true;
  const bool says_close = lists(head.headers, "Connection", "close");
  const bool stays = head.minor >= 1 || lists(head.headers, "Connection", "keep-alive");
  if (whole && pool_ && body_.done() && body_.reusable() && !says_close && stays && !request_closes_ &&
      head.status != 101)
    conn_pool::give(pool_, key_, std::move(conn_));
  else (void)conn_.on().close();
}

void incoming::drain() {
  if (body_.announced() > max_drain) return;
  std::byte some[1024];
  for (std::uint64_t n = 0; n <= max_drain;) {
    const auto [got, err] = read(some);
    if (err) return;
    n += got;
  }
}

void incoming::close() {
  if (finished_) return;
  finished_ = true;
  if (!end_error_) end_error_ = weft::errc::closed;
  stop_writing();
  (void)conn_.on().close();
}

}  // namespace weft::http::detail
