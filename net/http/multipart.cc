#include "net/http/multipart.h"

#include <algorithm>

#include "net/http/syntax.h"

namespace weft::http::detail {

namespace {

// Reads a token or a quoted string off `s`.
std::optional<std::string> take_value(std::string_view& s) {
  std::string value;
  if (!s.starts_with('"')) {
    const std::string_view word = s.substr(0, s.find_first_of("; \t"));
    if (!is_token(word)) return std::nullopt;
    s.remove_prefix(word.size());
    return std::string(word);
  }
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (s[i] == '"') {
      s.remove_prefix(i + 1);
      return value;
    }
    // Browsers send C:\dir\file: a backslash escapes '"' and itself only.
    if (s[i] == '\\' && i + 1 < s.size() && (s[i + 1] == '"' || s[i + 1] == '\\')) ++i;
    value += s[i];
  }
  return std::nullopt;
}

// The fields of one part. False if they are malformed.
bool parse_fields(std::string_view text, form_part& to) {
  bool is_form_data = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon))) return false;
    const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) return false;
    if (same_word(name, "Content-Type")) to.type = value;
    if (!same_word(name, "Content-Disposition")) continue;
    is_form_data = same_word(trimmed(value.substr(0, value.find(';'))), "form-data");
    auto part_name = parameter(value, "name");
    if (!part_name) return false;
    to.name = std::move(*part_name);
    to.filename = parameter(value, "filename").value_or(std::string());
  }
  return is_form_data;
}

}  // namespace

std::optional<std::string> parameter(std::string_view field, std::string_view name) {
  std::string_view s = field.substr(std::min(field.find(';'), field.size()));
  while (s.starts_with(';')) {
    s.remove_prefix(1);
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
    const auto equals = s.find('=');
    if (equals == s.npos) return std::nullopt;
    const std::string_view key = s.substr(0, equals);
    s.remove_prefix(equals + 1);
    auto value = take_value(s);
    if (!value || !is_token(key)) return std::nullopt;
    if (same_word(key, name)) return value;
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
  }
  return std::nullopt;
}

std::optional<std::vector<form_part>> parse_multipart(std::string_view body, std::string_view boundary) {
  constexpr std::size_t longest_boundary = 70;  // RFC 2046 5.1.1
  if (boundary.empty() || boundary.size() > longest_boundary) return std::nullopt;
  const std::string delimiter = "\r\n--" + std::string(boundary);
  const std::string_view first = std::string_view(delimiter).substr(2);
  if (body.starts_with(first)) {
    body.remove_prefix(first.size());
  } else {
    const auto at = body.find(delimiter);
    if (at == body.npos) return std::nullopt;
    body.remove_prefix(at + delimiter.size());
  }
  std::vector<form_part> parts;
  while (!body.starts_with("--")) {
    body.remove_prefix(std::min(body.find_first_not_of(" \t"), body.size()));
    if (!body.starts_with("\r\n") || parts.size() == max_form_parts) return std::nullopt;
    body.remove_prefix(2);
    const auto head = body.starts_with("\r\n") ? 0 : body.find("\r\n\r\n");
    if (head == body.npos) return std::nullopt;
    form_part part;
    if (!parse_fields(body.substr(0, head), part)) return std::nullopt;
    body.remove_prefix(head == 0 ? 0 : head + 2);
    const auto end = body.find(delimiter);
    if (end == body.npos) return std::nullopt;
    part.content = end < 2 ? std::string_view() : body.substr(2, end - 2);
    parts.push_back(std::move(part));
    body.remove_prefix(end + delimiter.size());
  }
  return parts;
}

}  // namespace weft::http::detail
