// /proc/self/cgroup has the group of the process, one line a hierarchy. /proc/self/mountinfo has
// the mount point of each hierarchy and the group that is the mount's root, because a container
// often sees only its part. The two together give a directory, whose parents up to the mount point
// are the ancestors.
#include "runtime/cgroup.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

namespace weft::detail {
namespace {

enum class version { one, two };

// A group that the process is a member of.
struct membership {
  version v;
  std::string path;
};

// A mounted hierarchy.
struct mount {
  version v;
  std::string group;  // the mount's root, as a group
  std::string at;
};

// The file's text; empty if it cannot be read.
std::string read_file(const std::string& path) {
  // Not an ifstream: its iterators throw where a read fails.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  std::string text;
  if (!file) return text;
  char some[4096];
  while (const std::size_t n = std::fread(some, 1, sizeof some, file.get())) text.append(some, n);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool lists(std::string_view commas, std::string_view word) {
  const auto words = split(commas, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> number(std::string_view text) {
  text = trimmed(text);
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<double> cpus(std::optional<std::int64_t> quota, std::optional<std::int64_t> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<int> whole(std::optional<double> cpus) {
  if (!cpus) return std::nullopt;
  return static_cast<int>(std::min<double>(std::ceil(*cpus), INT_MAX));
}

// cpu.max of version 2.
std::optional<double> share_in_cpu_max(std::string_view text) {
  constexpr std::int64_t default_period_us = 100'000;
  const auto words = split(trimmed(text), ' ');
  if (words.size() > 2) return std::nullopt;
  return cpus(number(words[0]), words.size() == 2 ? number(words[1]) : default_period_us);
}

// mountinfo writes a space, a tab, a newline and a backslash in a path as three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// Lines "ID:CONTROLLERS:PATH". Version 2 has no controllers there.
std::vector<membership> memberships(std::string_view text) {
  std::vector<membership> all;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (controllers.empty()) all.push_back({version::two, path});
    else if (lists(controllers, "cpu")) all.push_back({version::one, path});
  }
  return all;
}

// Lines "ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [MORE...] - TYPE SOURCE SUPER-OPTIONS".
std::vector<mount> mounts(std::string_view text) {
  std::vector<mount> all;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto before = split(line.substr(0, dash), ' '), after = split(line.substr(dash + 3), ' ');
    if (before.size() < 6 || after.size() < 3) continue;
    if (after[0] == "cgroup2") all.push_back({version::two, unescaped(before[3]), unescaped(before[4])});
    else if (after[0] == "cgroup" && lists(after[2], "cpu"))
      all.push_back({version::one, unescaped(before[3]), unescaped(before[4])});
  }
  return all;
}

// `path` as seen from the group `from`: "" for that group itself, "/a/b" for one below; nothing for
// one that is not below it, as happens outside of the process's cgroup namespace.
std::optional<std::string> below(std::string_view path, std::string_view from) {
  if (from == "/") from = "";
  if (path == "/") path = "";
  if (!path.starts_with(from)) return std::nullopt;
  path.remove_prefix(from.size());
  if (!path.empty() && path[0] != '/') return std::nullopt;
  const auto parts = split(path, '/');
  if (std::find(parts.begin(), parts.end(), "..") != parts.end()) return std::nullopt;
  return std::string(path);
}

std::optional<double> share_of(version v, const std::string& directory) {
  if (v == version::two) return share_in_cpu_max(read_file(directory + "/cpu.max"));
  return cpus(number(read_file(directory + "/cpu.cfs_quota_us")), number(read_file(directory + "/cpu.cfs_period_us")));
}

std::optional<double> tighter(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

std::optional<int> parse_cpu_max(std::string_view text) { return whole(share_in_cpu_max(text)); }

std::optional<int> parse_cfs(std::string_view quota_us, std::string_view period_us) {
  return whole(cpus(number(quota_us), number(period_us)));
}

std::optional<int> cgroup_cpu_quota(const std::string& root) { return whole(cgroup_cpu_share(root)); }

std::optional<double> cgroup_cpu_share(const std::string& root) {
  std::optional<double> tightest;
  const auto groups = memberships(read_file(root + "/proc/self/cgroup"));
  const auto seen_at = mounts(read_file(root + "/proc/self/mountinfo"));
  for (const membership& g : groups) {
    for (const mount& m : seen_at) {
      if (m.v != g.v) continue;
      std::optional<std::string> group = below(g.path, m.group);
      if (!group) continue;
      for (;;) {
        tightest = tighter(tightest, share_of(g.v, root + m.at + *group));
        if (group->empty()) break;
        group->resize(group->rfind('/'));
      }
    }
  }
  return tightest;
}

}  // namespace weft::detail
