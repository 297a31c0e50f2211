// Note [monitor]: sysmon.cc, p_monitor.cc and acquire_p() of wake.cc as they are.
//
// No P is held for some looks of the monitor. It falls asleep while an M gets the P and computes.
#include "sched/sysmon.h"
#include "sched/wake.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

class falling_asleep : public modelled_world {
 public:
  explicit falling_asleep(bool membarrier)
      : modelled_world({.ps = 1, .threads = {role::other, role::other}, .membarrier = membarrier, .delay = 1}) {}

  void begin() override {
    looks_ = 0;
    begin_sysmon(w());
  }
  void start_monitor(void* (*main)(void*)) override { main_ = main; }

  void other(int i) override {
    if (i == monitor) {
      main_(nullptr);
      return;
    }
    M* m = adopt(i);
    while (looks_ < most_looks) models::yield();
    for (unsigned n = models::choose(80); n > 0; --n) models::yield();
    models::require(acquire_idle_p(m), "there is no idle P");
    compute();
  }
  // Until it is about to rest: time passes.
  bool times_out_at_once() override { return models::this_thread() == monitor && looks_++ < most_looks; }

  void run(M*, int) override {}
  void check() override {
    models::require(sleeps_until(monitor) != never, "the monitor sleeps without a deadline while a P is held");
  }
  void end() override { end_sysmon(); }

 private:
  static constexpr int monitor = 1, most_looks = 3;
  int looks_ = 0;
  void* (*main_)(void*) = nullptr;
};

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::machine;
using models::operation;
using weft::detail::falling_asleep;

TEST_CASE("the monitor does not fall asleep while an M gets a P", "[models][monitor]") {
  falling_asleep by_kernel(true), by_each(false);
  check_right(by_kernel, "monitor, membarrier", {.schedules = 10'000});
  check_right(by_each, "monitor, fences", {.schedules = 10'000});
}

TEST_CASE("canary: a monitor without its fence falls asleep while a P is held", "[models][monitor][canary]") {
  falling_asleep by_kernel(true), by_each(false);
  for (const machine on : {machine::language, machine::x86})
    check_found(by_kernel, "monitor", {"no membarrier Z2", "", operation::membarrier, fault::left_out}, {.on = on});
  check_found(by_each, "monitor, fences", {"no Z2", "may_rest", operation::fence, fault::left_out});
}

TEST_CASE("canary: an M without its fence does not wake the monitor", "[models][monitor][canary]") {
  falling_asleep by_kernel(true), by_each(false);
  check_found(by_kernel, "monitor", {"no compiler barrier G2", "acquire_p", operation::store, fault::late});
  for (const machine on : {machine::language, machine::x86})
    check_found(by_each, "monitor, fences", {"no G2", "acquire_p", operation::fence, fault::left_out}, {.on = on});
}

TEST_CASE("canary: a monitor that does not look again falls asleep while a P is held", "[models][monitor][canary]") {
  falling_asleep by_kernel(true);
  check_found(by_kernel, "monitor", {"no Z3", "any_p_held", operation::load, fault::left_out});
}
