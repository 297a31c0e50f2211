// Only steps that matter: a fiber's start and end, where it waits, an operation on what another
// fiber uses too, a choice that is not the default, and each step at which another fiber is forced
// to run.
#include "sched/sim/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "runtime/unwind/symbolize.h"
#include "sched/sim/describe.h"

namespace weft::detail {
namespace {

constexpr std::size_t page_width = 80, time_width = 11, most_columns = 4, most_rows = 60;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The end of what begins with the bracket at `from`.
std::size_t end_of_brackets(std::string_view text, std::size_t from) {
  int depth = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '<') ++depth;
    if ((text[i] == ')' || text[i] == '>') && --depth == 0) return i + 1;
  }
  return text.size();
}

// "recv" of "weft::detail::receiving<int, X>::recv() const", "cancel_func" of
// "weft::cancel_func::operator()() const". Empty for a lambda.
std::string last_name(std::string_view function) {
  std::string flat;
  std::size_t at = 0;
  while (at < function.size() && function[at] != '(') {
    if (function[at] == '<') at = end_of_brackets(function, at);
    else flat += function[at++];
  }
  if (flat.ends_with("::operator")) {
    flat.resize(flat.size() - 10);
    at = end_of_brackets(function, at);
  }
  if (at < function.size() && function.substr(end_of_brackets(function, at)).find("::") != function.npos) return {};
  const std::size_t name = flat.rfind("::");
  return name == std::string::npos ? flat : flat.substr(name + 2);
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool is_in(const std::string& function, const char* space) {
  return function.starts_with(space) || function.find(space) < 12;  // behind its type
}

bool is_library(const source_frame& f) {
  return is_below_user_code(f) || is_in(f.function, "weft::") || is_in(f.function, "std::") ||
         f.function.starts_with("__") || contains(f.file, "/include/c++/");
}

// What a program calls by name. An inlined function has a name without its namespaces, and the
// file.
bool is_operation(const source_frame& f, const std::string& name) {
  if (name.empty() || name.find_first_of("~{") != std::string::npos || name.starts_with("operator")) return false;
  if (name == "begin" || name == "iterator") return false;  // of a channel: a receive
  if (contains(f.file, "include/weft/")) return !contains(f.file, "include/weft/detail/");
  if (is_in(f.function, "weft::detail::sending<") || is_in(f.function, "weft::detail::receiving<")) return true;
  return is_in(f.function, "weft::") && !is_internal(f);
}

struct place {
  std::string operation;  // what the program has called; empty if unknown
  std::string where;      // "file.cc:12", or empty
};

place place_of(const std::vector<std::uintptr_t>& frames) {
  place p;
  for (const std::uintptr_t pc : frames)
    for (const source_frame& f : symbolize(pc)) {
      if (!is_library(f)) {
        if (!f.file.empty()) p.where = fmt::format("{}:{}", base_name(f.file), f.line);
        return p;
      }
      if (const std::string name = last_name(f.function); is_operation(f, name)) p.operation = name;
    }
  return p;
}

// What one step looks like in its fiber's column.
std::string text_of(const sim_event& e) {
  place p = place_of(e.frames);
  std::string what;
  switch (e.op) {
    case sim_op::start: what = "starts"; break;
    case sim_op::end: what = "ends"; break;
    case sim_op::park: what = fmt::format("waits: {}", to_string(e.reason)); break;
    case sim_op::value: what = e.text; break;
    case sim_op::timers: what = "a timer fires early"; break;
    case sim_op::panic:
      what = "panics";
      if (!p.where.empty()) what += p.operation.empty() ? " after" : " after " + p.operation;
      break;
    default: what = p.operation.empty() ? to_string(e.op) : p.operation;
  }
  if (!p.where.empty() && e.op != sim_op::end) what += " " + p.where;
  if (e.to && e.forced) what += fmt::format(" -> fiber {} runs", e.to);
  return what;
}

std::vector<const sim_event*> those_that_matter(const std::vector<sim_event>& events) {
  std::map<const void*, std::set<std::uint64_t>> users;
  for (const sim_event& e : events)
    if (e.object) users[e.object].insert(e.fiber);
  std::vector<const sim_event*> kept;
  for (const sim_event& e : events) {
    const bool shared = e.object && users[e.object].size() > 1;
    if (shared || e.forced || (e.op != sim_op::section && !e.object)) kept.push_back(&e);
  }
  return kept;
}

// `text` in lines of at most `width`, broken at blanks where there is one.
std::vector<std::string> wrapped(std::string text, std::size_t width) {
  std::vector<std::string> lines;
  while (text.size() > width) {
    std::size_t at = text.rfind(' ', width);
    if (at == std::string::npos || at == 0) at = width;
    lines.push_back(text.substr(0, at));
    text.erase(0, text[at] == ' ' ? at + 1 : at);
  }
  lines.push_back(text);
  return lines;
}

std::string clock_text(std::int64_t ns) {
  if (ns == 0) return "0";
  if (ns % 1'000'000'000 == 0) return fmt::format("{} s", ns / 1'000'000'000);
  if (ns % 1'000'000 == 0) return fmt::format("{} ms", ns / 1'000'000);
  if (ns % 1'000 == 0) return fmt::format("{} us", ns / 1'000);
  return fmt::format("{} ns", ns);
}

class table {
 public:
  table(const std::vector<sim_event>& events) {
    for (const sim_event& e : events) {
      std::string& name = names_[e.fiber];
      if (e.op == sim_op::start && !e.text.empty()) name = e.text;
    }
    if (names_.count(1) && names_[1].empty()) names_[1] = "main";
    in_columns_ = names_.size() <= most_columns;
    width_ = (page_width - time_width) / std::max<std::size_t>(names_.size(), 1);
  }

  std::string head() const {
    if (!in_columns_) return fmt::format("{:<{}}{}\n", "time", time_width, "fiber");
    std::string s = fmt::format("{:<{}}", "time", time_width);
    for (const auto& [id, name] : names_) {
      std::string title = name.empty() ? fmt::format("fiber {}", id) : fmt::format("{} ({})", id, name);
      s += fmt::format("{:<{}}", title.substr(0, width_ - 1), width_);
    }
    return trimmed(s) + "\n" + std::string(page_width - 1, '-') + "\n";
  }

  std::string row(const sim_event& e) const {
    if (!in_columns_) return fmt::format("{:<{}}{:<4} {}\n", clock_text(e.time), time_width, e.fiber, text_of(e));
    std::string s;
    std::string time = clock_text(e.time);
    const auto column = static_cast<std::size_t>(std::distance(names_.begin(), names_.find(e.fiber)));
    for (const std::string& line : wrapped(text_of(e), width_ - 1)) {
      s += trimmed(fmt::format("{:<{}}{}{}", time, time_width, std::string(column * width_, ' '), line)) + "\n";
      time.clear();
    }
    return s;
  }

 private:
  static std::string trimmed(std::string s) {
    s.erase(s.find_last_not_of(' ') + 1);
    return s;
  }
  std::map<std::uint64_t, std::string> names_;
  bool in_columns_ = true;
  std::size_t width_ = page_width;
};

std::string escaped(const std::string& text) {
  std::string s;
  for (const char c : text) {
    if (c == '<') s += "&lt;";
    else if (c == '>') s += "&gt;";
    else if (c == '&') s += "&amp;";
    else s += c;
  }
  return s;
}

}  // namespace

std::string story_of(const std::vector<sim_event>& events, const sim::report& r) {
  const std::vector<const sim_event*> steps = those_that_matter(events);
  const table t(events);
  std::string s = r.message + "\n\n" + t.head();
  const std::size_t left_out = steps.size() > most_rows ? steps.size() - most_rows : 0;
  if (left_out) s += fmt::format("... {} steps before these\n", left_out);
  for (std::size_t i = left_out; i < steps.size(); ++i) s += t.row(*steps[i]);
  s += fmt::format("\nreplay: {}\n", r.replay);
  return s;
}

std::string html_of(const std::vector<sim_event>& events, const sim::report& r) {
  std::map<std::uint64_t, std::string> names;
  for (const sim_event& e : events) {
    std::string& name = names[e.fiber];
    if (e.op == sim_op::start && !e.text.empty()) name = e.text;
  }
  std::string s =
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>weft: a schedule</title>\n<style>\n"
      "body { font-family: sans-serif; } table { border-collapse: collapse; }\n"
      "td, th { border-left: 1px solid #ccc; padding: 2px 8px; vertical-align: top; text-align: left; }\n"
      "tr.forced td { background: #fff3d6; } td.time { color: #777; white-space: nowrap; }\n</style></head><body>\n";
  s += fmt::format("<p>{}</p>\n<table>\n<tr><th>time</th>", escaped(r.message));
  for (const auto& [id, name] : names)
    s += fmt::format("<th>{}{}</th>", id, name.empty() ? "" : " (" + escaped(name) + ")");
  s += "</tr>\n";
  for (const sim_event* e : those_that_matter(events)) {
    s += fmt::format("<tr{}><td class=\"time\">{}</td>", e->forced ? " class=\"forced\"" : "", clock_text(e->time));
    // One cell for all lanes on each side: there may be thousands.
    const auto left = static_cast<std::size_t>(std::distance(names.begin(), names.find(e->fiber)));
    const std::size_t right = names.size() - left - 1;
    if (left > 0) s += fmt::format("<td colspan=\"{}\"></td>", left);
    s += fmt::format("<td>{}</td>", escaped(text_of(*e)));
    if (right > 0) s += fmt::format("<td colspan=\"{}\"></td>", right);
    s += "</tr>\n";
  }
  s += fmt::format("</table>\n<p>replay: <code>{}</code></p>\n</body></html>\n", escaped(r.replay));
  return s;
}

}  // namespace weft::detail
