#include "tests/lessons/lesson_run.h"

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace weft::testing {
namespace {

std::string program(const std::string& path) { return beside_this_program("../../lessons/" + path); }

// The string that begins at json[at], which is its opening quote; `at` goes behind its closing one.
std::string string_at(const std::string& json, std::size_t& at) {
  std::string text;
  for (++at; json.at(at) != '"'; ++at) {
    if (json[at] != '\\') {
      text += json[at];
      continue;
    }
    ++at;
    text += json.at(at) == 'n' ? '\n' : json[at];
  }
  ++at;
  return text;
}

}  // namespace

outcome run_lesson(const std::string& path, const std::vector<std::string>& args) {
  std::vector<std::string> argv{program(path)};
  argv.insert(argv.end(), args.begin(), args.end());
  return run_child(argv, 120);
}

std::string lesson_on_terminal(const std::string& path, const std::vector<std::string>& args, int columns,
                               const std::vector<std::string>& variables) {
  const std::string file = program(path);
  std::vector<char*> argv{const_cast<char*>(file.c_str())};
  for (const std::string& a : args) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const winsize size{.ws_row = 50, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  if (child < 0) throw std::runtime_error("forkpty failed");
  if (child == 0) {
    for (const std::string& v : variables) putenv(const_cast<char*>(v.c_str()));
    alarm(120);
    execv(argv[0], argv.data());
    _exit(127);
  }
  std::string shown;
  char buffer[4096];
  for (ssize_t n; (n = read(terminal, buffer, sizeof buffer)) > 0;)
    shown.append(buffer, static_cast<std::size_t>(n));  // ends with EIO once the child is gone
  close(terminal);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the lesson failed: " + shown);
  std::erase(shown, '\r');
  return shown;
}

double lesson_line::number(const std::string& key) const {
  const std::size_t at = json.find("\"" + key + "\":");
  if (at == json.npos) throw std::runtime_error("no " + key + " in " + json);
  return std::stod(json.substr(at + key.size() + 3));
}

std::vector<std::pair<std::string, std::string>> lesson_line::prints() const {
  const std::string key = "\"prints\":[";
  std::size_t at = json.find(key);
  if (at == json.npos) throw std::runtime_error("no prints in " + json);
  std::vector<std::pair<std::string, std::string>> all;
  for (at += key.size(); json.at(at) != ']'; ++at) {
    if (json[at] != '[') continue;
    const std::string name = string_at(json, ++at);
    all.emplace_back(name, string_at(json, ++at));
  }
  return all;
}

std::string lesson_line::printed_by(const std::string& fiber) const {
  std::string text;
  for (const auto& [name, what] : prints())
    if (name == fiber) text += what;
  return text;
}

std::vector<lesson_line> lesson_json(const std::string& path, std::vector<std::string> args) {
  args.push_back("--json");
  const outcome o = run_lesson(path, args);
  if (o.status != 0 || o.timed_out) throw std::runtime_error("the lesson failed: " + o.err);
  std::vector<lesson_line> all;
  for (std::string& line : lines_of(o.out)) all.push_back({std::move(line)});
  return all;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

}  // namespace weft::testing
