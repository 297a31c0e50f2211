// Note [retake]: retake.cc, retake.h, p_monitor.cc and weft/detail/fiber.h as they are.
//
// Two fibers enter the runtime and sections while the monitor looks at the only P and retakes it.
// The owner's data of the P is used by each M that has it: two at one time fail the schedule.
#include "sched/p_monitor.h"
#include "sched/ready.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

enum class fences { by_kernel, by_each };  // membarrier(2) works, or in_doubt is always set

class retaking : public modelled_world {
 public:
  retaking(fences how, int looks)
      : modelled_world({.ps = 1,
                        .threads = {role::runs, role::not_made, role::not_made, role::other},
                        .membarrier = how == fences::by_kernel}),
        looks_(looks) {}
  int retaken() const { return retaken_; }

  void begin() override {
    lock_.make();
    looked_ = 0;
    w().debug.limit = false;  // cpu_limit.cc
  }

  void run(M* m, int number) override {
    if (number == 0) {
      {
        const runtime_call in(m);
        push_next(m, make(models::max_threads));  // it waits for this P
      }
      while (looked_ == 0) models::yield();
    }
    for (int i = 0; i < 4; ++i) {
      compute_a_little();
      {
        const runtime_call in(m);
        if (in.p()) data_of(*in.p()).write();
      }
      compute_a_little();
      const section s(*lock_, m);
      models::require(m->p, "an M in a section has no P");
      data_of(*m->p).write();
    }
    compute_a_little();
    const runtime_call in(m, runtime_call::needs::a_p);
    models::require(in.p(), "a call that needs a P has none");
    data_of(*in.p()).write();
  }

  void other(int) override {
    p_monitor monitor(w());
    std::int64_t time = clock;
    for (; looked_ < looks_; ++looked_) monitor.look(time += 1'000'000);
  }
  bool asleep_in_kernel(long) override { return true; }  // so the second look retakes

  void check() override {
    if (w().handoffs.load(std::memory_order_relaxed) > 0) ++retaken_;
    models::require(fiber(0).runs == 1 && fiber(models::max_threads).runs == 1, "a fiber has not run");
    models::require(p(0).idle.load(std::memory_order_relaxed), "the P is lost");
  }
  void deadlock() override {}  // both fibers have ended

 private:
  static void compute_a_little() {
    for (int i = 0; i < 3; ++i) models::yield();
  }

  const int looks_;
  int looked_ = 0, retaken_ = 0;
  models::per_schedule<spin_lock> lock_;
};

constexpr int often = 5;

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::machine;
using models::operation;
using models::planted;
using weft::detail::fences;
using weft::detail::often;
using weft::detail::retaking;

TEST_CASE("two Ms never use a P that is retaken", "[models][retake]") {
  retaking seldom(fences::by_kernel, 2), by_kernel(fences::by_kernel, often), by_each(fences::by_each, often);
  check_right(seldom, "retake, membarrier, two looks", {.schedules = 10'000});
  check_right(by_kernel, "retake, membarrier", {.schedules = 10'000});
  check_right(by_each, "retake, fences", {.schedules = 10'000});
  CHECK(by_kernel.retaken() > 1'000);
  CHECK(by_each.retaken() > 1'000);
}

TEST_CASE("canary: without membarrier an M uses a P that is retaken", "[models][retake][canary]") {
  retaking s(fences::by_kernel, often);
  for (const machine on : {machine::language, machine::x86})
    check_found(s, "retake", {"no Q2", "", operation::membarrier, fault::left_out}, {.on = on});
}

TEST_CASE("canary: without a compiler barrier an M uses a P that is retaken", "[models][retake][canary]") {
  retaking s(fences::by_kernel, often);
  check_found(s, "retake", {"no R2 in enter_runtime", "enter_runtime", operation::store, fault::late});
  check_found(s, "retake", {"no R2 in section", "section", operation::store, fault::late});
}

TEST_CASE("canary: without R4's ordering the next M does not see the P as it was left", "[models][retake][canary]") {
  retaking s(fences::by_each, often);
  check_found(s, "retake, fences", {"relaxed R4", "leave_runtime", operation::store, fault::relaxed});
  check_found(s, "retake, fences", {"relaxed R4 of a section", "leave", operation::store, fault::relaxed});
}

TEST_CASE("canary: where each side fences itself, each ordering counts", "[models][retake][canary]") {
  retaking s(fences::by_each, often);
  const planted all[] = {
      {"relaxed Q1", "retake_p_locked", operation::store, fault::relaxed},
      {"relaxed Q3", "retake_p_locked", operation::load, fault::relaxed},
      {"relaxed R1", "has_p_for_certain", operation::rmw, fault::relaxed},
      {"relaxed R3", "has_p_for_certain", operation::load, fault::relaxed},
  };
  for (const planted& bug : all) check_found(s, "retake, fences", bug);
}
