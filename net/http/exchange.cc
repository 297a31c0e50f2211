#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ sees it in Boost's optional when it builds for ASan
#endif
#include "net/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <mutex>

#include "runtime/clock.h"

namespace weft::http::impl {

namespace {

constexpr std::size_t read_size = 4096;

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = std::tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

// One read, to the end of what is there.
template <class Read>
std::error_code input::fill_by(Read read) {
  make_room();
  auto [n, err] = read(std::as_writable_bytes(std::span(bytes_.get() + end_, read_size)));
  end_ += n;
  return err;
}

void input::make_room() {
  const std::size_t left = end_ - begin_, wanted = left + read_size;
  if (wanted > size_) {
    size_ = std::max(2 * size_, wanted);
    auto larger = std::make_unique_for_overwrite<char[]>(size_);
    std::copy_n(bytes_.get() + begin_, left, larger.get());
    bytes_ = std::move(larger);
  } else if (begin_ > 0) {
    std::copy_n(bytes_.get() + begin_, left, bytes_.get());  // to the left
  }
  begin_ = 0;
  end_ = left;
}

std::error_code input::fill(stream& c) {
  return fill_by([&](std::span<std::byte> to) { return c.read(to); });
}

std::error_code input::fill(const context& ctx, stream& c) {
  return fill_by([&](std::span<std::byte> to) { return c.read(ctx, to); });
}

// A read waits beside the handler. It ends with an error if the client has gone, and with the next request's
// bytes if it sends on, which says nothing about the rest.
const context& watcher::ctx(const context& parent) {
  if (request_) return request_->ctx;
  request_.emplace(with_cancel(parent));
  watching_.emplace(with_cancel(background()));
  conn_.set_read_deadline(time_point::max());
  fiber_.go([this] {
    const std::error_code e = in_.fill(watching_->ctx, conn_);
    if (e && e != weft::errc::canceled) request_->cancel();
  });
  return request_->ctx;
}

void watcher::stop() {
  if (!request_) return;
  request_->cancel();
  watching_->cancel();
  fiber_.wait();
}

exchange::exchange(stream& c, input& in, const context& server, const limits& l)
    : conn(c), of_server(server), bounds(l), watch(c, in) {
  request.header_limit(static_cast<std::uint32_t>(l.max_header));
  request.body_limit(l.max_body);
  request.eager(true);
}

bool exchange::sends_body() const {
  return message().method() != beast_http::verb::head && status >= 200 && status != 204 && status != 304;
}

// The head if it has not gone yet, and what there is of the body. `last`: there is no more.
void exchange::send_part(bool last) {
  if (error) return;
  const bool with_body = sends_body();
  std::string head;
  if (!head_sent) {
    head_sent = true;
    const bool modern = message().version() >= 11;
    close_after = close_after || !message().keep_alive();
    head.reserve(200 + headers.size() + body.size());
    (((head += "HTTP/1.1 ") += fmt::format_int(status).c_str()) += ' ') += status_text(status);
    head += "\r\n";
    if (!has_date) append_date(head);
    if (!has_type && with_body && !body.empty()) head += "Content-Type: text/plain; charset=utf-8\r\n";
    const bool no_length = status < 200 || status == 204 || status == 304;
    if (!has_length && !no_length) {
      if (last) ((head += "Content-Length: ") += fmt::format_int(body.size()).c_str()) += "\r\n";
      else if (modern) chunked = true;
      else close_after = true;  // the end of the connection is the end of the body
    }
    if (chunked) head += "Transfer-Encoding: chunked\r\n";
    if (close_after) head += "Connection: close\r\n";
    else if (!modern) head += "Connection: keep-alive\r\n";
    head += headers;
    head += "\r\n";
  }
  if (with_body && chunked) {
    if (!body.empty()) {
      fmt::format_to(std::back_inserter(head), "{:x}\r\n", body.size());
      body += "\r\n";
    }
    if (last) body += "0\r\n\r\n";
  }
  if (!with_body) body.clear();
  if (head.empty() && body.empty()) return;
  if (bounds.write_time.count() > 0) conn.set_write_deadline(in_about(bounds.write_time));
  head += body;
  body.clear();
  error = conn.write(head).err;
}

std::string decoded(std::string_view s, encoding e) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size() && digit(s[i + 1]) >= 0 && digit(s[i + 2]) >= 0) {
      out += static_cast<char>(digit(s[i + 1]) * 16 + digit(s[i + 2]));
      i += 2;
    } else {
      out += s[i] == '+' && e == encoding::query ? ' ' : s[i];
    }
  }
  return out;
}

namespace {

std::string text_of(std::time_t t) {
  std::tm utc{};
  gmtime_r(&t, &utc);
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", days[utc.tm_wday], utc.tm_mday,
                     months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// The text of a second, which many answers share.
struct {
  detail::spin_lock lock;  // the next under it
  std::time_t second = -1;
  std::string text;
} date;

}  // namespace

void append_date(std::string& head) {
  const std::time_t t = std::time(nullptr);
  const std::lock_guard hold(date.lock);
  if (date.second != t) {
    date.text = text_of(t);
    date.second = t;
  }
  head += date.text;
}

time_point in_about(duration d) noexcept {
  const std::int64_t from = detail::coarse_now_ns() + detail::coarse_ns;
  return time_point(duration(d.count() > detail::never - from ? detail::never : from + d.count()));
}

}  // namespace weft::http::impl
