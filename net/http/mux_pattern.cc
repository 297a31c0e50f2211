#include "net/http/mux_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "net/http/syntax.h"

namespace weft::http::detail {

namespace {

using kind = pattern::kind;

[[noreturn]] void malformed(std::string_view text, std::string_view why) {
  throw panic(fmt::format("http: pattern '{}': {}", text, why));
}

bool is_identifier(std::string_view name) {
  const auto is_part = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80); };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), is_part);
}

// `cleaned`: a path reaches the pattern only after it has been cleaned.
pattern::piece parse_piece(std::string_view text, std::string_view whole, bool is_last, bool cleaned) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    if (text.find('{') != std::string_view::npos) malformed(whole, "a wildcard is a whole segment");
    if (cleaned && (text.empty() || text == "." || text == ".."))
      malformed(whole, "a path that is not clean never matches");
    return {kind::literal, decoded(text, encoding::path)};
  }
  std::string_view name = text.substr(1, text.size() - 2);
  const bool rest = name.ends_with("...");
  if (rest) name.remove_suffix(3);
  if (name == "$" && !rest) {
    if (!is_last) malformed(whole, "{$} stands at the end");
    return {kind::end, {}};
  }
  if (!is_identifier(name)) malformed(whole, "a wildcard has a name of letters, digits and '_'");
  if (rest && !is_last) malformed(whole, "{name...} stands at the end");
  return {rest ? kind::rest : kind::one, std::string(name)};
}

relation combine(relation a, relation b) {
  if (a == relation::same) return b;
  if (b == relation::same || a == b) return a;
  return a == relation::disjoint || b == relation::disjoint ? relation::disjoint : relation::overlap;
}

relation compare_pieces(const pattern::piece& a, const pattern::piece& b) {
  using enum relation;
  if (a.what == kind::rest) return b.what == kind::rest ? same : more_general;
  if (b.what == kind::rest) return more_specific;
  if (a.what == b.what && (a.what != kind::literal || a.text == b.text)) return same;
  if (a.what == kind::one && b.what == kind::literal) return more_general;
  if (a.what == kind::literal && b.what == kind::one) return more_specific;
  return disjoint;
}

relation compare_methods(const pattern& a, const pattern& b) {
  using enum relation;
  if (a.method == b.method) return same;
  if (takes_method(a, b.method)) return more_general;
  return takes_method(b, a.method) ? more_specific : disjoint;
}

relation compare_paths(const pattern& a, const pattern& b) {
  relation all = relation::same;
  const std::size_t both = std::min(a.pieces.size(), b.pieces.size());
  for (std::size_t i = 0; i < both && all != relation::disjoint; ++i)
    all = combine(all, compare_pieces(a.pieces[i], b.pieces[i]));
  if (a.pieces.size() < b.pieces.size())
    return combine(all, a.pieces.back().what == kind::rest ? relation::more_general : relation::disjoint);
  if (b.pieces.size() < a.pieces.size())
    return combine(all, b.pieces.back().what == kind::rest ? relation::more_specific : relation::disjoint);
  return all;
}

// Calls f(segment) for each of "/a/b/": "a", "b" and "".
template <class F>
void each_segment(std::string_view path, F f) {
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const auto end = path.find('/');
    f(path.substr(0, end));
    if (end == std::string_view::npos) return;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

pattern parse_pattern(std::string_view text) {
  pattern p;
  p.text = text;
  std::string_view rest = text;
  if (const auto blank = rest.find_first_of(" \t"); blank != std::string_view::npos) {
    p.method = rest.substr(0, blank);
    if (!is_token(p.method)) malformed(text, "the method is no token");
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t", blank), rest.size()));
  }
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) malformed(text, "no path; it begins with '/'");
  p.host = rest.substr(0, slash);
  for (char& c : p.host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (p.host.find('{') != std::string::npos) malformed(text, "no wildcards in a host");
  rest.remove_prefix(slash + 1);
  for (;;) {
    const auto end = rest.find('/');
    const bool is_last = end == std::string_view::npos;
    const std::string_view segment = rest.substr(0, end);
    if (is_last && segment.empty()) p.pieces.push_back({kind::rest, {}});  // everything below
    else p.pieces.push_back(parse_piece(segment, text, is_last, !p.method.empty() && p.method != "CONNECT"));
    if (is_last) break;
    rest.remove_prefix(end + 1);
  }
  for (std::size_t i = 0; i < p.pieces.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (p.pieces[i].what != kind::literal && p.pieces[k].what != kind::literal && !p.pieces[i].text.empty() &&
          p.pieces[i].text == p.pieces[k].text)
        malformed(text, fmt::format("two wildcards have the name '{}'", p.pieces[i].text));
  return p;
}

relation compare(const pattern& a, const pattern& b) {
  if (a.host != b.host) {
    if (a.host.empty()) return relation::more_general;
    return b.host.empty() ? relation::more_specific : relation::disjoint;
  }
  const relation methods = compare_methods(a, b);
  return methods == relation::disjoint ? methods : combine(methods, compare_paths(a, b));
}

split_path split(std::string_view raw_path) {
  split_path p{{}, raw_path};
  each_segment(raw_path, [&](std::string_view s) { p.segments.push_back(decoded(s, encoding::path)); });
  return p;
}

bool takes_method(const pattern& p, std::string_view method) {
  return p.method.empty() || p.method == method || (p.method == "GET" && method == "HEAD");
}

bool matches(const pattern& p, const split_path& path, value_list& found) {
  std::string_view rest = path.raw;
  for (std::size_t i = 0; i < p.pieces.size(); ++i) {
    if (i >= path.segments.size()) return false;
    const pattern::piece& piece = p.pieces[i];
    const std::string& segment = path.segments[i];
    rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
    switch (piece.what) {
      case kind::rest:
        if (!piece.text.empty()) found.emplace_back(piece.text, decoded(rest, encoding::path));
        return true;
      case kind::end: return i + 1 == path.segments.size() && segment.empty();
      case kind::literal:
        if (piece.text != segment) return false;
        break;
      case kind::one:
        if (segment.empty()) return false;
        found.emplace_back(piece.text, segment);
    }
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
  }
  return p.pieces.size() == path.segments.size();
}

std::string clean_path(std::string_view raw_path) {
  std::vector<std::string_view> kept;
  std::string last;
  each_segment(raw_path, [&](std::string_view s) {
    last = decoded(s, encoding::path);
    if (last.empty() || last == ".") return;
    if (last != "..") kept.push_back(s);
    else if (!kept.empty()) kept.pop_back();
  });
  std::string clean;
  for (const std::string_view s : kept) (clean += '/') += s;
  if (clean.empty() || last.empty()) clean += '/';
  return clean;
}

}  // namespace weft::http::detail
