#include "net/http/answer_head.h"

#include <algorithm>

namespace weft::http::detail {
namespace {

// A field takes some 70 bytes here and may have come in 4.
constexpr std::size_t max_fields = 10'000;

std::error_code malformed() { return make_error_code(std::errc::bad_message); }

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

// The next line, without its end; CRLF or LF (RFC 9112 section 2.2).
bool take_line(std::string_view& text, std::string_view& line) noexcept {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

// A peer's value may have control characters; these three would change what it means (RFC 9110
// section 5.5).
bool can_be_kept(std::string_view value) noexcept {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// "HTTP/1.1 200 OK"; the reason and the space before it may be missing.
bool parse_status_line(std::string_view line, answer_head& out) noexcept {
  if (!can_be_kept(line) || !line.starts_with("HTTP/1.") || line.size() < 8 || !is_digit(line[7])) return false;
  out.minor = line[7] - '0';
  line.remove_prefix(8);
  const auto digits = line.find_first_not_of(' ');
  if (digits == 0 || digits == std::string_view::npos) return false;
  line.remove_prefix(digits);
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return false;
  if (line.size() > 3 && line[3] != ' ') return false;
  out.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  return out.status >= 100;
}

}  // namespace

std::size_t head_scanner::find_end(std::string_view text) noexcept {
  for (;;) {
    const auto end = text.find('\n', at_);
    if (end == std::string_view::npos) {
      at_ = text.size();
      return end;
    }
    // An empty line follows, or its end has not come yet.
    if (text.size() > end + 1 && text[end + 1] == '\n') return end + 2;
    if (text.size() > end + 2 && text[end + 1] == '\r' && text[end + 2] == '\n') return end + 3;
    const bool undecided = text.size() == end + 1 || (text.size() == end + 2 && text[end + 1] == '\r');
    at_ = undecided ? end : end + 1;
    if (undecided) return std::string_view::npos;
  }
}

std::error_code parse_fields(std::string_view text, header_list& out) {
  std::string_view line;
  while (take_line(text, line) && !line.empty()) {
    if (!can_be_kept(line)) return malformed();
    if (is_blank(line.front())) {  // obs-fold
      if (out.empty()) return malformed();
      (out.back().second += ' ') += trimmed(line);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return malformed();
    if (out.size() == max_fields) return make_error_code(std::errc::message_size);
    out.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return {};
}

std::error_code parse_head(std::string_view text, answer_head& out) {
  std::string_view first;
  if (!take_line(text, first) || !parse_status_line(first, out)) return malformed();
  return parse_fields(text, out.headers);
}

std::string_view find_field(const header_list& all, std::string_view name) noexcept {
  for (const auto& [key, value] : all)
    if (same_word(key, name)) return value;
  return {};
}

bool lists(const header_list& all, std::string_view name, std::string_view word) noexcept {
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& f) { return same_word(f.first, name) && has_word(f.second, word); });
}

void remove_fields(header_list& all, std::string_view name) {
  std::erase_if(all, [name](const auto& field) { return same_word(field.first, name); });
}

}  // namespace weft::http::detail
