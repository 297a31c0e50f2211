// L3: two ways to list a directory, and what is wrong with each.
#include <fmt/ranges.h>

#include "lessons/goroutines/disk.h"
#include "lessons/support/page.h"

namespace {

using namespace weft;
using lesson::println;

// Returns all names, or an error.
result<std::vector<std::string>> list_directory(const std::string& dir) {
  std::vector<std::string> names;
  std::error_code err;
  for (disk::reader r(dir); const std::string* name = r.next(err);) names.push_back(*name);
  return {names, err};
}

// A channel that yields the names and is closed behind the last one.
recv_chan<std::string> stream_directory(const std::string& dir) {
  auto names = make_chan<std::string>();
  go([=] {
    std::error_code err;  // no caller gets it
    for (disk::reader r(dir); const std::string* name = r.next(err);) names.send(*name);
    names.close();
  });
  return names;
}

void all_at_once() {
  for (const char* dir : {"photos", "empty", "damaged", "missing"}) {
    auto [names, err] = list_directory(dir);
    println("{}: {}, {}", dir, names, err ? err.message() : "no error");
  }
}

void channel() {
  for (const char* dir : {"photos", "empty", "damaged", "missing"}) {
    std::vector<std::string> seen;
    for (const std::string& name : stream_directory(dir)) seen.push_back(name);
    println("{}: {}, closed", dir, seen);
  }
}

void stop_early() {
  for (const std::string& name : stream_directory("photos")) {
    println("found {}, that is enough", name);
    break;
  }
}

const lesson::page page{
    "L3",
    "list_directory",
    {{"slice", "all names in one result: the caller waits for the last one", all_at_once},
     {"wrong", "a channel: the end, a failure and no directory look the same", channel},
     {"wrong-early", "a channel: who stops early leaves the filler behind", stop_early, {.leaks = 1}}}};

}  // namespace
