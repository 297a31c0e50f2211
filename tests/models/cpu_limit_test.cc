// Note [cpu-limit]: cpu_limit.cc and acquire_p() of wake.cc as they are, with the kernel's
// affinities as plain variables.
//
// The monitor begins the limit, as a fiber computes without a P, while an M gets the P.
#include <map>

#include "sched/cpu_limit.h"
#include "sched/wake.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

class limit_begins : public modelled_world {
 public:
  explicit limit_begins(bool membarrier)
      : modelled_world({.ps = 1, .threads = {role::other, role::other, role::other}, .membarrier = membarrier}) {}

  void begin() override {
    for (cpu_mask& cpus : affinities_) {
      cpus = {};
      cpus.add(0);
      cpus.add(1);
    }
  }
  void run(M*, int) override {}

  void other(int i) override {
    if (i == gets_p) {
      M* m = adopt(i);
      models::require(acquire_idle_p(m), "there is no idle P");
      compute();
    } else if (i == monitor) {
      const std::lock_guard hold(w().retaking);
      M* m = adopt(without_p);  // its thread has nothing to do here
      set_m_of_thread(nullptr);
      w().without_p.push_back(m);
      update_cpu_limit(w(), clock, false);
    }
  }
  cpu_mask* affinity(long tid) override { return &affinities_[static_cast<std::size_t>(tid)]; }
  std::int64_t cpu_time(long) override { return 1'000'000'000; }

  void check() override {
    const std::uint32_t limit = w().limit.epoch.load(std::memory_order_relaxed);
    models::require(limit != 0, "the limit has not begun");
    models::require(m(gets_p).cpus.epoch.load(std::memory_order_relaxed) == limit,
                    "an M that has a P follows no limit");
    models::require(affinities_[static_cast<std::size_t>(m(gets_p).tid)].count() == 1, "a thread is not bound");
  }

 private:
  static constexpr int gets_p = 0, monitor = 1, without_p = 2;
  std::array<cpu_mask, models::max_threads + 1> affinities_;
};

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::machine;
using models::operation;
using weft::detail::limit_begins;

TEST_CASE("an M that gets a P is bound by a limit that begins", "[models][cpu-limit]") {
  limit_begins by_kernel(true), by_each(false);
  check_right(by_kernel, "cpu limit, membarrier", {.schedules = 5'000});
  check_right(by_each, "cpu limit, fences", {.schedules = 5'000});
}

TEST_CASE("canary: without its fences an M that gets a P is not bound", "[models][cpu-limit][canary]") {
  limit_begins by_kernel(true), by_each(false);
  for (const machine on : {machine::language, machine::x86}) {
    check_found(by_kernel, "cpu limit", {"no membarrier L2", "", operation::membarrier, fault::left_out}, {.on = on});
    check_found(by_each, "cpu limit, fences", {"no G2", "acquire_p", operation::fence, fault::left_out}, {.on = on});
  }
  check_found(by_each, "cpu limit, fences", {"no L2", "set_limit", operation::fence, fault::left_out});
  check_found(by_kernel, "cpu limit", {"no compiler barrier G2", "acquire_p", operation::store, fault::late});
}
