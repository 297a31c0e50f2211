// Which handler a request is for: of all patterns that match, the most specific.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "net/http/exchange.h"
#include "net/http/mux_pattern.h"

namespace weft::http {

using namespace detail;

struct mux::table {
  std::vector<pattern> patterns;

  const pattern* best(std::string_view host, std::string_view method, const split_path& path, value_list& values) const;
  std::set<std::string> methods(std::string_view host, const split_path& path) const;
};

namespace {

// In lower case, without the port.
std::string host_of(const request& r) {
  const auto a = parse_authority(r.host());
  std::string host(a ? a->host : std::string_view());
  for (char& c : host) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return host;
}

bool host_matches(const pattern& p, std::string_view host) { return p.host.empty() || p.host == host; }

// "/x/" or "/x/{rest...}" for a path that is exactly "/x/".
bool is_exact(const pattern& p, const split_path& path) {
  if (p.pieces.back().what != pattern::kind::rest) return true;
  return path.raw.ends_with('/') && p.pieces.size() == path.segments.size();
}

}  // namespace

const pattern* mux::table::best(std::string_view host, std::string_view method, const split_path& path,
                                value_list& values) const {
  const pattern* found = nullptr;
  for (const pattern& p : patterns) {
    value_list of_p;
    if (!host_matches(p, host) || !takes_method(p, method) || !matches(p, path, of_p)) continue;
    if (found && compare(p, *found) != relation::more_specific) continue;
    found = &p;
    values = std::move(of_p);
  }
  return found;
}

std::set<std::string> mux::table::methods(std::string_view host, const split_path& path) const {
  std::set<std::string> all;
  for (const pattern& p : patterns) {
    value_list ignored;
    if (!host_matches(p, host) || !matches(p, path, ignored)) continue;
    all.insert(p.method);
    if (p.method == "GET") all.insert("HEAD");
  }
  return all;
}

mux::mux() : table_(std::make_shared<table>()) {}

mux& mux::handle(std::string_view text, handler h) {
  pattern p = parse_pattern(text);
  for (const pattern& other : table_->patterns) {
    if (other.host != p.host) continue;
    const relation r = compare(p, other);
    if (r == relation::same || r == relation::overlap)
      throw panic(fmt::format("http: pattern '{}' {} '{}'", text,
                              r == relation::same ? "means the same as" : "conflicts with", other.text));
  }
  p.h = std::move(h);
  table_->patterns.push_back(std::move(p));
  return *this;
}

void mux::operator()(response_writer& w, const request& r) const {
  if (r.raw_path() == "*") {  // OPTIONS *: of the server as a whole
    w.set_header("Content-Length", "0");
    return;
  }
  if (r.raw_path().empty()) return error(w, 404, "404 page not found");  // CONNECT host:port
  const std::string host = host_of(r);
  const bool is_connect = r.method() == "CONNECT";
  const std::string clean = is_connect ? std::string(r.raw_path()) : clean_path(r.raw_path());
  const auto redirect_to = [&](std::string path) {
    if (!r.x_.request.target.query.empty()) (path += '?') += r.x_.request.target.query;
    redirect(w, path, 307);  // the client repeats the method and the body
  };
  const split_path path = split(clean);
  value_list values;
  const pattern* const found = table_->best(host, r.method(), path, values);
  const std::string with_slash = clean + '/';
  const split_path below = split(with_slash);
  if (!is_connect && !clean.ends_with('/') && (!found || !is_exact(*found, path))) {
    value_list ignored;
    const pattern* const other = table_->best(host, r.method(), below, ignored);
    if (other && is_exact(*other, below)) return redirect_to(with_slash);
  }
  if (!is_connect && clean != r.raw_path()) return redirect_to(clean);
  if (found) {
    r.x_.path_values = std::move(values);
    r.x_.pattern = found->text;
    found->h(w, r);
    return;
  }
  std::set<std::string> allowed = table_->methods(host, path);
  if (!clean.ends_with('/')) allowed.merge(table_->methods(host, below));
  if (allowed.empty()) return error(w, 404, "404 page not found");
  w.set_header("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
  error(w, 405, "Method Not Allowed");
}

}  // namespace weft::http
