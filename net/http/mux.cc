// Which handler a request is for: of all patterns that match, the one that says most about it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "net/http/exchange.h"

namespace weft::http {

namespace {

enum class piece_kind { literal, one, rest, end };  // "x", "{x}", "{x...}" or a trailing "/", "{$}"

struct piece {
  piece_kind kind;
  std::string text;  // what it is, or the name of what stands for it
};

struct pattern {
  std::string text, method, host;
  std::vector<piece> pieces;
  handler h;
};

using values = std::vector<std::pair<std::string, std::string>>;

[[noreturn]] void malformed(std::string_view text, std::string_view why) {
  throw panic(fmt::format("http: pattern '{}': {}", text, why));
}

piece piece_of(std::string_view text, std::string_view whole, bool is_last) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    if (text.find_first_of("{}") != std::string_view::npos) malformed(whole, "a wildcard is a whole segment");
    return {piece_kind::literal, impl::decoded(text, impl::encoding::path)};
  }
  std::string_view name = text.substr(1, text.size() - 2);
  const bool rest = name.ends_with("...");
  if (rest) name.remove_suffix(3);
  if (name == "$" && !rest) {
    if (!is_last) malformed(whole, "{$} stands at the end");
    return {piece_kind::end, {}};
  }
  if (name.empty() || name.find_first_of("{}$.") != std::string_view::npos) malformed(whole, "a wildcard has a name");
  if (rest && !is_last) malformed(whole, "{name...} stands at the end");
  return {rest ? piece_kind::rest : piece_kind::one, std::string(name)};
}

pattern pattern_of(std::string_view text) {
  pattern p;
  p.text = text;
  std::string_view rest = text;
  if (const auto blank = rest.find_first_of(" \t"); blank != std::string_view::npos) {
    p.method = rest.substr(0, blank);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t", blank), rest.size()));
  }
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) malformed(text, "no path; it begins with '/'");
  p.host = rest.substr(0, slash);
  if (p.host.find('{') != std::string::npos) malformed(text, "no wildcards in a host");
  rest.remove_prefix(slash + 1);
  for (;;) {
    const auto end = rest.find('/');
    const bool is_last = end == std::string_view::npos;
    const std::string_view segment = rest.substr(0, end);
    if (is_last && segment.empty()) p.pieces.push_back({piece_kind::rest, {}});  // everything below
    else p.pieces.push_back(piece_of(segment, text, is_last));
    if (is_last) return p;
    rest.remove_prefix(end + 1);
  }
}

// The segments of "/a/b/" are "a", "b" and "".
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> all;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  for (;;) {
    const auto end = path.find('/');
    all.push_back(path.substr(0, end));
    if (end == std::string_view::npos) return all;
    path.remove_prefix(end + 1);
  }
}

bool fits(const pattern& p, const std::vector<std::string_view>& path, values& found) {
  for (std::size_t i = 0; i < p.pieces.size(); ++i) {
    const piece& want = p.pieces[i];
    if (want.kind == piece_kind::rest) {
      if (i >= path.size()) return false;
      const char* begin = path[i].data();
      const std::string_view& last = path.back();
      if (!want.text.empty()) found.emplace_back(want.text, std::string(begin, last.data() + last.size()));
      return true;
    }
    if (i >= path.size()) return false;
    if (want.kind == piece_kind::end) return i + 1 == path.size() && path[i].empty();
    if (want.kind == piece_kind::literal && want.text != path[i]) return false;
    if (want.kind == piece_kind::one) {
      if (path[i].empty()) return false;
      found.emplace_back(want.text, std::string(path[i]));
    }
  }
  return p.pieces.size() == path.size();
}

// True if a says more than b about a path that both fit.
bool more_particular(const pattern& a, const pattern& b) {
  if (a.host.empty() != b.host.empty()) return b.host.empty();
  const std::size_t both = std::min(a.pieces.size(), b.pieces.size());
  for (std::size_t i = 0; i < both; ++i)
    if (a.pieces[i].kind != b.pieces[i].kind) {
      const auto rank = [](piece_kind k) {
        return k == piece_kind::literal || k == piece_kind::end ? 0 : k == piece_kind::one ? 1 : 2;
      };
      return rank(a.pieces[i].kind) < rank(b.pieces[i].kind);
    }
  if (a.pieces.size() != b.pieces.size()) return a.pieces.size() > b.pieces.size();
  return !a.method.empty() && b.method.empty();
}

bool takes(const pattern& p, std::string_view method) {
  return p.method.empty() || p.method == method || (p.method == "GET" && method == "HEAD");
}

// What two patterns that mean the same have in common.
std::string shape_of(const pattern& p) {
  std::string s = p.method + ' ' + p.host;
  for (const piece& x : p.pieces)
    s += fmt::format("/{}{}", static_cast<int>(x.kind), x.kind == piece_kind::literal ? x.text : "");
  return s;
}

}  // namespace

struct mux::table {
  std::vector<pattern> patterns;
};

mux::mux() : table_(std::make_shared<table>()) {}

mux& mux::handle(std::string_view text, handler h) {
  pattern p = pattern_of(text);
  for (const pattern& other : table_->patterns)
    if (shape_of(other) == shape_of(p)) malformed(text, fmt::format("means the same as '{}'", other.text));
  p.h = std::move(h);
  table_->patterns.push_back(std::move(p));
  return *this;
}

void mux::operator()(response_writer& w, const request& r) const {
  const std::vector<std::string_view> path = segments_of(r.path());
  std::string_view host = r.header("Host");
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']'))
    host = host.substr(0, colon);
  const pattern* best = nullptr;
  values of_best;
  std::set<std::string> allowed;
  bool below = false;  // "/x/" is there, and "/x" was asked for
  for (const pattern& p : table_->patterns) {
    if (!p.host.empty() && p.host != host) continue;
    values found;
    if (!fits(p, path, found)) {
      std::vector<std::string_view> with_slash = path;
      with_slash.push_back(std::string_view(r.path()).substr(r.path().size()));
      values none;
      below = below || (p.pieces.back().kind == piece_kind::rest && p.pieces.back().text.empty() &&
                        p.pieces.size() == with_slash.size() && takes(p, r.method()) && fits(p, with_slash, none));
      continue;
    }
    if (!takes(p, r.method())) {
      allowed.insert(p.method);
      continue;
    }
    if (best && !more_particular(p, *best)) continue;
    best = &p;
    of_best = std::move(found);
  }
  if (below && (!best || best->pieces.back().kind == piece_kind::rest)) {
    const auto mark = r.target().find('?');
    const std::string query(mark == std::string_view::npos ? std::string_view() : r.target().substr(mark));
    w.status(301).set_header("Location", std::string(r.target().substr(0, mark)) + '/' + query);
    return;
  }
  if (best) {
    r.x_.path_values = std::move(of_best);
    best->h(w, r);
    return;
  }
  if (allowed.empty()) return error(w, 404, "404 page not found");
  w.set_header("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
  error(w, 405, "Method Not Allowed");
}

}  // namespace weft::http
