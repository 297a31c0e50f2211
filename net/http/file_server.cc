// Which file a request is for.
//
// A path is split at its slashes first and decoded part by part, as the mux does it, so "a%2Fb" is
// the name of one file that no directory has: 404. fs::open_inside() opens below the root; no name
// and no symbolic link leads out.
//
// Refused: listings of directories. Go's FileServer sends them, and publishes the names of files
// that nothing refers to; nginx does not, and neither does this.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "net/fd/c_string.h"
#include "net/http/exchange.h"
#include "net/http/serve_content.h"

namespace weft::http {

using namespace detail;

namespace {

// A named pipe without a writer opens immediately, and a terminal does not become the process's
// own.
constexpr int open_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

bool reads_only(response_writer& w, const request& r) {
  if (r.method() == "GET" || r.method() == "HEAD") return true;
  w.set_header("Allow", "GET, HEAD");
  refuse_file(w, 405);
  return false;
}

// The name below the root, with a slash at its end if the path has one. None: no file can have it.
std::optional<std::string> name_of(std::string_view raw_path) {
  std::string name;
  while (!raw_path.empty()) {
    const std::string_view raw = raw_path.substr(0, raw_path.find('/'));
    const bool has_slash = raw.size() < raw_path.size();
    raw_path.remove_prefix(raw.size() + (has_slash ? 1 : 0));
    const std::string part = decoded(raw, encoding::path);
    if (part.find('/') != part.npos || weft::detail::has_nul(part)) return std::nullopt;
    if (!name.empty() || !part.empty()) (name += part) += has_slash ? "/" : "";
  }
  return name;
}

// An empty path is what strip_prefix() leaves of a root.
bool ends_with_slash(std::string_view raw_path) { return raw_path.empty() || raw_path.ends_with('/'); }

// Redirects to a path relative to the request's, with its query.
void redirect_locally(response_writer& w, const request& r, std::string to) {
  const std::string_view target = r.target();
  const auto query = target.find('?');
  if (query != target.npos) to += target.substr(query);
  redirect(w, to, 301);
}

std::string_view last_segment(std::string_view raw_path) {
  while (raw_path.ends_with('/')) raw_path.remove_suffix(1);
  return raw_path.substr(raw_path.rfind('/') + 1);
}

struct opened {
  fs::file file;
  fs::info info;
  std::error_code err = {};
};

template <class Open>
opened open_with_state(const Open& open, const std::string& name) {
  result<fs::file> f = open(name);
  if (f.err) return {{}, {}, f.err};
  auto info = f.value.stat();
  info.value.name = name;  // an open file has none
  return {std::move(f.value), std::move(info.value), info.err};
}

enum class slash { any, by_kind };

// `open`: of what is below `name` as well. by_kind: a directory has a slash at the end of its path,
// and a file none.
template <class Open>
void serve_name(response_writer& w, const request& r, const std::string& name, slash s, const Open& open) {
  opened at = open_with_state(open, name);
  if (at.err) return refuse_file(w, status_of(at.err));
  const std::string_view raw = r.raw_path();
  if (at.info.is_dir()) {
    if (!ends_with_slash(raw)) return redirect_locally(w, r, fmt::format("./{}/", last_segment(raw)));
    at = open_with_state(open, name + (name.empty() || name.ends_with('/') ? "index.html" : "/index.html"));
    if (at.err == std::errc::no_such_file_or_directory) return refuse_file(w, 403);
    if (at.err) return refuse_file(w, status_of(at.err));
  } else if (s == slash::by_kind && ends_with_slash(raw)) {
    return redirect_locally(w, r, fmt::format("../{}", last_segment(raw)));
  }
  if (!at.info.is_regular()) return refuse_file(w, 403);
  serve_content(w, r, at.file, at.info);
}

}  // namespace

void serve_file(response_writer& w, const request& r, std::string_view path) {
  if (!reads_only(w, r)) return;
  for (std::string_view rest = r.path(); !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part == "..") return refuse_file(w, 400);
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  serve_name(w, r, std::string(path), slash::any, [](const std::string& name) { return fs::open(name, open_flags); });
}

handler file_server(std::string_view root) {
  if (weft::detail::has_nul(root)) throw panic("http: file_server: NUL byte in the root");
  return [root = std::string(root)](response_writer& w, const request& r) {
    if (!reads_only(w, r)) return;
    const auto name = name_of(r.raw_path());
    if (!name) return refuse_file(w, 404);
    if (last_segment(r.raw_path()) == "index.html" && !ends_with_slash(r.raw_path()))
      return redirect_locally(w, r, "./");
    serve_name(w, r, *name, slash::by_kind,
               [&](const std::string& below) { return fs::open_inside(root, below, open_flags); });
  };
}

handler strip_prefix(std::string_view prefix, handler h) {
  return [prefix = std::string(prefix), h = std::move(h)](response_writer& w, const request& r) {
    exchange& x = r.x_;
    if (!x.path.starts_with(prefix) || !x.request.target.path.starts_with(prefix))
      return error(w, 404, "404 page not found");
    struct restore {
      exchange& x;
      std::string path;
      std::string_view raw;
      ~restore() {
        x.path = std::move(path);
        x.request.target.path = raw;
      }
    } at_end{x, x.path, x.request.target.path};
    x.path.erase(0, prefix.size());
    x.request.target.path.remove_prefix(prefix.size());
    h(w, r);
  };
}

}  // namespace weft::http
