// A jar of cookies: RFC 6265 section 5, where each cookie is host-only.
#include <weft/http_client.h>
#include <weft/mutex.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <list>
#include <mutex>

#include "net/http/answer_head.h"
#include "net/http/cookies.h"

namespace weft::http {

namespace detail {

struct cookie {
  std::string host, path, name, value;
  bool secure = false;   // https only
  std::time_t end = 0;   // 0: the jar's
};

struct jar {
  mutable mutex lock;
  std::list<cookie> all;  // under lock; the oldest first
};

namespace {

constexpr std::size_t max_of_host = 50, max_in_all = 3000, max_size = 4096, max_path = 1024;

int month_of(std::string_view word) {
  constexpr std::string_view names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
  for (int i = 0; i < 12; ++i)
    if (same_word(word.substr(0, 3), names[i])) return i;
  return -1;
}

// A number of at most `most` digits at the front of `s`, and what follows it; -1 if there is none.
int take_number(std::string_view& s, std::size_t most) {
  std::size_t n = 0;
  while (n < s.size() && s[n] >= '0' && s[n] <= '9') ++n;
  if (n == 0 || n > most) return -1;
  int value = 0;
  std::from_chars(s.data(), s.data() + n, value);
  s.remove_prefix(n);
  return value;
}

bool take_time(std::string_view word, std::tm& t) {
  int* const parts[] = {&t.tm_hour, &t.tm_min, &t.tm_sec};
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && !word.starts_with(':')) return false;
    if (i > 0) word.remove_prefix(1);
    if ((*parts[i] = take_number(word, 2)) < 0) return false;
  }
  return true;
}

// RFC 6265 section 5.1.1. Returns false for what is no date.
bool parse_date(std::string_view s, std::time_t& at) {
  std::tm t{};
  int year = -1, month = -1, day = -1;
  bool has_time = false;
  while (!s.empty()) {
    const auto is_delimiter = [](char c) { return c != ':' && !is_token(std::string_view(&c, 1)); };
    const auto begin = std::find_if_not(s.begin(), s.end(), is_delimiter);
    const auto end = std::find_if(begin, s.end(), [&](char c) { return is_delimiter(c) || c == '-'; });
    const std::string_view word(begin, end);
    s.remove_prefix(static_cast<std::size_t>(end - s.begin()));
    if (s.starts_with('-')) s.remove_prefix(1);
    if (word.empty()) continue;
    std::string_view number = word;
    if (!has_time && take_time(word, t)) has_time = true;
    else if (month < 0 && month_of(word) >= 0) month = month_of(word);
    else if (day < 0 && word.size() <= 2 && (day = take_number(number, 2)) >= 0) continue;
    else if (year < 0) year = take_number(number, 4);
  }
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  if (!has_time || month < 0 || day < 1 || day > 31 || year < 1601 || t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 59)
    return false;
  t.tm_year = year - 1900;
  t.tm_mon = month;
  t.tm_mday = day;
  at = timegm(&t);
  return true;
}

std::string_view path_of(const http_url& u) {
  const std::string_view target = u.target;
  return target.substr(0, target.find('?'));
}

// RFC 6265 section 5.1.4.
std::string_view default_path(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos || slash == 0 ? "/" : path.substr(0, slash);
}
bool path_matches(std::string_view path, std::string_view of_cookie) {
  if (!path.starts_with(of_cookie)) return false;
  return path.size() == of_cookie.size() || of_cookie.ends_with('/') || path[of_cookie.size()] == '/';
}

void take_attribute(cookie& c, std::string_view name, std::string_view value, bool& has_age, std::time_t now) {
  if (same_word(name, "Secure")) c.secure = true;
  if (same_word(name, "Path") && value.starts_with('/') && value.size() <= max_path) c.path = value;
  if (std::time_t at; same_word(name, "Expires") && !has_age && parse_date(value, at))
    c.end = std::max<std::time_t>(at, 1);
  if (!same_word(name, "Max-Age") || value.empty()) return;
  const bool negative = value.front() == '-';
  const std::string_view digits = value.substr(negative ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return;
  std::time_t age = 400 * 86'400;  // at most
  std::time_t said = age;
  std::from_chars(digits.data(), digits.data() + digits.size(), said);
  has_age = true;
  c.end = negative || said == 0 ? 1 : now + std::min(age, said);
}

// Returns false for a cookie that is not to be stored.
bool parse_cookie(std::string_view text, const http_url& from, cookie& c, std::time_t now) {
  if (text.size() > max_size || !is_field_value(trimmed(text))) return false;
  const auto next = [&text] {
    const auto semicolon = text.find(';');
    const std::string_view one = text.substr(0, semicolon);
    text.remove_prefix(semicolon == std::string_view::npos ? text.size() : semicolon + 1);
    return trimmed(one);
  };
  const std::string_view pair = next();
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return false;
  c.name = trimmed(pair.substr(0, equals));
  c.value = trimmed(pair.substr(equals + 1));
  c.host = from.host;
  const std::string_view path = default_path(path_of(from));
  c.path = path.substr(0, max_path + 1);
  bool has_age = false, good = is_token(c.name);
  while (!text.empty()) {
    const std::string_view a = next();
    const auto at = a.find('=');
    const std::string_view value = at == std::string_view::npos ? std::string_view() : trimmed(a.substr(at + 1));
    const std::string_view name = trimmed(a.substr(0, at));
    take_attribute(c, name, value, has_age, now);
    if (!same_word(name, "Domain") || value.empty()) continue;
    const std::string_view domain = value.substr(value.front() == '.' ? 1 : 0);
    const std::string_view host = from.host;
    good = good &&
           (same_word(domain, host) || (host.size() > domain.size() && host[host.size() - domain.size() - 1] == '.' &&
                                        same_word(host.substr(host.size() - domain.size()), domain)));
  }
  if ((c.secure && !from.secure) || c.path.size() > max_path) return false;
  if (c.name.starts_with("__Secure-") || c.name.starts_with("__Host-")) good = good && c.secure;
  return good && (!c.name.starts_with("__Host-") || c.path == "/");
}

// Makes room for c. Plain HTTP cannot remove what HTTPS has set: false if there is nothing else.
bool make_room(std::list<cookie>& all, const cookie& c, bool secure) {
  const auto of_host = [&](const cookie& o) { return o.host == c.host; };
  const auto remove_first = [&](auto which) {
    auto at = std::find_if(all.begin(), all.end(), [&](const cookie& o) { return which(o) && !o.secure; });
    if (at == all.end() && secure) at = std::find_if(all.begin(), all.end(), which);
    if (at == all.end()) return false;
    all.erase(at);
    return true;
  };
  if (std::count_if(all.begin(), all.end(), of_host) >= static_cast<std::ptrdiff_t>(max_of_host) &&
      !remove_first(of_host))
    return false;
  return all.size() < max_in_all || remove_first([](const cookie&) { return true; });
}

}  // namespace

void set_cookie(const cookie_jar& to, const http_url& from, std::string_view set_cookie) {
  const std::time_t now = std::time(nullptr);
  cookie c;
  if (!parse_cookie(set_cookie, from, c, now)) return;
  jar& j = jar_of(to);
  const std::lock_guard hold(j.lock);
  std::list<cookie>& all = j.all;
  std::erase_if(all, [now](const cookie& o) { return o.end != 0 && o.end <= now; });
  const auto named = [&](const cookie& o) { return o.name == c.name && o.host == c.host; };
  // RFC 6265bis 5.7: plain HTTP neither replaces nor hides what HTTPS has set.
  if (!from.secure && std::any_of(all.begin(), all.end(), [&](const cookie& o) {
        return named(o) && o.secure && path_matches(c.path, o.path);
      }))
    return;
  std::erase_if(all, [&](const cookie& o) { return named(o) && o.path == c.path; });
  if (c.end != 0 && c.end <= now) return;
  if (make_room(all, c, from.secure)) all.push_back(std::move(c));
}

}  // namespace detail

detail::jar& detail::jar_of(const cookie_jar& j) noexcept { return *j.jar_; }

cookie_jar::cookie_jar() : jar_(std::make_shared<detail::jar>()) {}

void cookie_jar::set(std::string_view url, std::string_view set_cookie) {
  using namespace detail;
  const auto [from, err] = http_url_of(split_uri(url), encode::all_unsafe);
  if (!err) detail::set_cookie(*this, from, set_cookie);
}

std::string cookie_jar::get(std::string_view url) const {
  using namespace detail;
  const auto [to, err] = http_url_of(split_uri(url), encode::all_unsafe);
  if (err) return {};
  const std::string_view path = path_of(to);
  const std::time_t now = std::time(nullptr);
  const std::lock_guard hold(jar_->lock);
  std::erase_if(jar_->all, [now](const cookie& c) { return c.end != 0 && c.end <= now; });
  std::vector<const cookie*> found;
  for (const cookie& c : jar_->all)
    if (c.host == to.host && path_matches(path, c.path) && (to.secure || !c.secure)) found.push_back(&c);
  std::stable_sort(found.begin(), found.end(),
                   [](const cookie* a, const cookie* b) { return a->path.size() > b->path.size(); });
  std::string text;
  for (const cookie* c : found) {
    if (!text.empty()) text += "; ";
    ((text += c->name) += '=') += c->value;
  }
  return text;
}

}  // namespace weft::http
