// Worlds whose insides are tampered with: `invariant_scenarios NAME`. Run by invariant_test.cc.
#include <weft/weft.h>

#include <cstdio>
#include <map>
#include <string>

#include "sched/current.h"
#include "sched/g.h"
#include "sched/ready.h"
#include "sched/ready_list.h"
#include "sched/wake.h"

using namespace weft;
using namespace weft::detail;

namespace {

// What was done to it stays: a fiber that waits for nothing that comes.
G* parked() {
  static G* sleeper = nullptr;
  go([] {
    sleeper = self();
    make_chan<int>().recv();
  });
  while (!sleeper || sleeper->state != g_state::parked) yield();
  return sleeper;
}

const std::map<std::string, void (*)()> scenarios = {
    {"ready-twice",
     [] {
       G* g = parked();
       ready(g);
       ready(g);
     }},
    {"ready-into-a-list-twice",
     [] {
       G* g = parked();
       ready_list list;
       ready_into(list, g);
       ready_into(list, g);
     }},
    {"queued-while-parked",
     [] {
       push_global(*the_world(), parked());
       for (;;) yield();
     }},
    {"too-few-spin", [] { one_less_spins(*the_world()); }},
};

}  // namespace

int main(int argc, char** argv) {
  const auto it = argc == 2 ? scenarios.find(argv[1]) : scenarios.end();
  if (it != scenarios.end()) return run(options{.maxprocs = 1}, it->second);
  std::fprintf(stderr, "usage: invariant_scenarios NAME, one of:\n");
  for (const auto& [name, f] : scenarios) std::fprintf(stderr, "  %s\n", name.c_str());
  return 64;
}
