#include "corpus/measure.h"

#include <weft/errors.h>
#include <weft/go.h>

#include <algorithm>
#include <chrono>

namespace corpus {
namespace {

using weft::sim::verdict;

weft::sim::options options_of(const settings& s, std::size_t schedules) {
  return {.seed = s.seed, .how = s.how, .schedules = schedules, .early_timers = true};
}

}  // namespace

const char* to_string(bug b) noexcept {
  switch (b) {
    case bug::resource: return "resource";
    case bug::communication: return "communication";
    case bug::mixed: return "mixed";
    case bug::race: return "race";
    case bug::order: return "order";
    case bug::misuse: return "misuse";
  }
  return "?";
}

void panic_if_null(bool is_null) {
  if (is_null) throw weft::panic("nil pointer dereference");
}

std::vector<kernel> goker() {
  std::vector<kernel> all;
  for (const auto& some : {cockroach_locks(), cockroach_channels(), etcd(), grpc(), hugo_istio(), kubernetes_locks(),
                           kubernetes_channels(), moby(), moby_and_others(), races(), more_races(), orders()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

outcome measure(const kernel& k, const settings& s) {
  outcome o;
  o.of = &k;
  const auto broken = [&k] { k.program(variant::broken); };
  const auto twin = [&k] { k.program(variant::repaired); };
  o.broken = weft::sim::explore(options_of(s, s.schedules), broken);
  o.found = !o.broken && o.broken.what != verdict::nondeterministic && o.broken.what != verdict::livelock;
  if (o.found)
    for (int i = 0; i < s.replays; ++i) {
      const weft::sim::report again = weft::sim::replay(o.broken.replay, broken);
      if (again.what == o.broken.what && again.message == o.broken.message) ++o.same_replays;
    }
  const auto began = std::chrono::steady_clock::now();
  o.twin = weft::sim::explore(options_of(s, s.twin_schedules), twin);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  o.schedules_a_second = static_cast<double>(o.twin.schedules) / std::max(took.count(), 1e-9);
  return o;
}

bool passes_unobserved(const kernel& k, const settings& s) {
  weft::sim::options o = options_of(s, s.schedules);
  o.leaks = false;
  const weft::sim::report r = weft::sim::explore(o, [&k] {
    weft::go([&k] { k.program(variant::broken); });
    weft::sim::wait();
  });
  return static_cast<bool>(r);
}

}  // namespace corpus
