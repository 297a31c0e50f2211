// An open file as an answer: validators, conditions, ranges, and the bytes by sendfile.
//
// The size and the time are those of the descriptor, so a file that rename() replaces during the
// transfer is sent as it was opened. A file that is cut while it is sent ends the connection: the
// answer does not look complete.
//
// An entity tag is the time of the last change, in nanoseconds, and the size. In the second of a
// change another change may have the same time, so the tag is weak then: a client does not join
// parts of two versions by it. A file of the year 1970 has neither tag nor date: systems of
// reproducible builds give all versions that time.
#include "net/http/serve_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

#include "net/http/date.h"
#include "net/http/exchange.h"
#include "net/http/media_type.h"
#include "net/http/precondition.h"
#include "net/http/range.h"
#include "runtime/random.h"

namespace weft::http::detail {

namespace {

using namespace std::chrono_literals;

validators validators_of(const fs::info& info) {
  const auto age = std::chrono::system_clock::now() - info.modified;
  const auto since_1970 = info.modified.time_since_epoch();
  if (since_1970 < 1s) return {};
  validators v;
  // RFC 9110 section 8.8.2.1: not later than the answer, whose Date is std::time()'s. That clock is
  // some milliseconds behind the system clock.
  v.modified = std::min<std::int64_t>(std::chrono::floor<std::chrono::seconds>(since_1970).count(), std::time(nullptr));
  v.date_is_strong = age >= 2s;
  v.etag = fmt::format("{}\"{:x}-{:x}\"", v.date_is_strong ? "" : "W/", std::chrono::nanoseconds(since_1970).count(),
                       info.size);
  return v;
}

void set_if_absent(response_writer& w, std::string_view name, std::string_view value) {
  if (w.header(name).empty()) w.set_header(name, value);
}

std::string content_range(const byte_range& r, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", r.first, r.first + r.size - 1, size);
}

void set_length(response_writer& w, std::uint64_t n) { w.set_header("Content-Length", fmt::format_int(n).c_str()); }

void send_one(response_writer& w, const fs::file& file, const byte_range& part) {
  set_length(w, part.size);
  (void)w.send_file(file, part.first, part.size);  // an error ends the connection: its Content-Length is not reached
}

// RFC 9110 section 14.6.
void send_many(response_writer& w, const fs::file& file, const std::vector<byte_range>& parts, std::uint64_t size) {
  const std::string boundary = fmt::format("{:016x}{:016x}", weft::detail::random_seed(), weft::detail::random_seed());
  std::vector<std::string> heads;
  std::uint64_t all = 0;
  const std::string type(w.header("Content-Type"));
  for (const byte_range& part : parts) {
    heads.push_back(fmt::format("{}--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n", heads.empty() ? "" : "\r\n",
                                boundary, type, content_range(part, size)));
    all += heads.back().size() + part.size;
  }
  const std::string end = "\r\n--" + boundary + "--\r\n";
  w.set_header("Content-Type", "multipart/byteranges; boundary=" + boundary);
  set_length(w, all + end.size());
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (w.write(heads[i]) || w.send_file(file, parts[i].first, parts[i].size)) return;
  (void)w.write(end);
}

}  // namespace

void serve_content(response_writer& w, const request& r, const fs::file& file, const fs::info& info) {
  validators v = validators_of(info);
  if (!w.header("ETag").empty()) v.etag = w.header("ETag");  // the handler's
  if (!v.etag.empty()) w.set_header("ETag", v.etag);
  if (v.modified) w.set_header("Last-Modified", http_date(*v.modified));
  const int refused = check_preconditions(r, v);
  if (refused == 304) {
    w.status(304).remove_header("Content-Type").remove_header("Content-Encoding").remove_header("Content-Length");
    return;
  }
  if (refused != 0) return refuse_file(w, refused);
  set_if_absent(w, "Content-Type", media_type_of(info.name));
  w.set_header("Accept-Ranges", "bytes");
  range_request asked;
  if (range_applies(r, v)) asked = parse_range(r.header("Range"), info.size);
  switch (asked.kind) {
    case range_request::all:
      set_length(w, info.size);
      if (r.method() != "HEAD") send_one(w, file, {0, info.size});
      break;
    case range_request::unsatisfiable:
      refuse_file(w, 416);
      w.set_header("Content-Range", fmt::format("bytes */{}", info.size));
      break;
    case range_request::parts:
      w.status(206);
      if (asked.ranges.size() > 1) return send_many(w, file, asked.ranges, info.size);
      w.set_header("Content-Range", content_range(asked.ranges[0], info.size));
      send_one(w, file, asked.ranges[0]);
      break;
  }
}

void refuse_file(response_writer& w, int status) {
  for (const char* name : {"Cache-Control", "Content-Encoding", "ETag", "Last-Modified"}) w.remove_header(name);
  error(w, status, fmt::format("{} {}", status, status_text(status)));
}

int status_of(std::error_code e) noexcept {
  using enum std::errc;
  for (const std::errc absent : {no_such_file_or_directory, not_a_directory, filename_too_long, invalid_argument})
    if (e == absent) return 404;
  // A socket or a device without a driver is no_such_device_or_address.
  for (const std::errc forbidden : {permission_denied, operation_not_permitted, too_many_symbolic_link_levels,
                                    no_such_device_or_address, no_such_device})
    if (e == forbidden) return 403;
  for (const std::errc scarce :
       {too_many_files_open, too_many_files_open_in_system, not_enough_memory, resource_unavailable_try_again})
    if (e == scarce) return 503;
  return 500;
}

}  // namespace weft::http::detail
