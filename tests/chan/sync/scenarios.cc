// Ways for a process to end: `sync_scenarios NAME`. Run by singleflight_test.cc and once_test.cc.
#include <weft/weft.h>

#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

using namespace weft;
using namespace std::chrono_literals;

namespace {

void say(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

const std::map<std::string, void (*)()> scenarios = {
    {"chan-throws",
     [] {
       singleflight<int, int> g;
       g.call_chan(1, []() -> int { throw std::runtime_error("the boiler burst"); }).recv();
       say("went on");
     }},
    {"chan-throws-beside-call",
     [] {
       singleflight<int, int> g;
       auto go_on = make_chan<void>(), runs = make_chan<void>();
       go([&] {
         try {
           g.call(1, [&]() -> int {
             runs.send();
             go_on.recv();
             throw std::runtime_error("the boiler burst");
           });
         } catch (...) {
           say("caught");
         }
       });
       runs.recv();
       auto c = g.call_chan(1, [] { return 2; });
       go_on.close();
       c.recv();
       say("went on");
     }},
    {"once-within-itself",
     [] {
       once o;
       o.call([&] { o.call([] {}); });
       say("went on");
     }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !scenarios.count(argv[1])) return 64;
  return run(options{.maxprocs = 2}, scenarios.at(argv[1]));
}
