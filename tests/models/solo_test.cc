// Note [solo]: solo.cc, weft/detail/fiber.h and acquire_p() of wake.cc as they are.
//
// The only M gets the only P and uses a primitive. The world begins, and the first plain threads
// come, at any time.
#include "sched/current.h"
#include "tests/models/report.h"
#include "tests/models/world.h"

namespace weft::detail {
namespace {

class first_plain_threads : public modelled_world {
 public:
  explicit first_plain_threads(int n) : modelled_world({.ps = 1, .threads = roles(n), .delay = 40}) {}
  int locks_skipped() const { return locks_skipped_; }

  void begin() override {
    lock_.make();
    set_the_world(nullptr);
  }
  void before_m(int) override { set_the_world(&w()); }

  void run(M* m, int) override {
    for (int i = 0; i < 4; ++i) {
      models::yield();
      const section s(*lock_, m);
      if (m->solo.load(std::memory_order_relaxed)) ++locks_skipped_;
      primitive_.write();
    }
  }
  void other(int) override {
    for (int i = 0; i < 2; ++i) {
      const section s(*lock_, nullptr);
      primitive_.write();
    }
  }

  void check() override {}
  void deadlock() override {}  // the fiber has ended

 private:
  static std::vector<role> roles(int plain_threads) {
    std::vector<role> all{role::runs};
    all.insert(all.end(), static_cast<std::size_t>(plain_threads), role::other);
    return all;
  }

  models::per_schedule<spin_lock> lock_;
  models::data primitive_;
  int locks_skipped_ = 0;
};

}  // namespace
}  // namespace weft::detail

using models::check_found;
using models::check_right;
using models::fault;
using models::machine;
using models::operation;
using models::planted;
using weft::detail::first_plain_threads;

TEST_CASE("no plain thread is in a primitive together with an M that skips its lock", "[models][solo]") {
  first_plain_threads one(1), two(2);
  check_right(one, "solo, a plain thread", {.schedules = 15'000});
  check_right(two, "solo, two plain threads", {.schedules = 15'000});
  CHECK(one.locks_skipped() > 1'000);
}

TEST_CASE("canary: a plain thread that does not fence every thread meets an M in a primitive",
          "[models][solo][canary]") {
  first_plain_threads s(1);
  const planted all[] = {
      {"no membarrier D2", "", operation::membarrier, fault::left_out, 1},
      {"no membarrier B2", "", operation::membarrier, fault::left_out, 2},
      {"no D1", "end_solo", operation::store, fault::left_out, 1},
  };
  for (const planted& bug : all)
    for (const machine on : {machine::language, machine::x86}) check_found(s, "solo", bug, {.on = on});
  // On x86 the store before it is a fence.
  check_found(s, "solo", {"no D1 before the world is read", "end_solo", operation::fence, fault::left_out});
}

TEST_CASE("canary: an M without its compiler barrier meets a plain thread in a primitive", "[models][solo][canary]") {
  first_plain_threads s(1);
  check_found(s, "solo", {"no A2", "section", operation::store, fault::late});
}

TEST_CASE("canary: a plain thread does not see what an M did in its section", "[models][solo][canary]") {
  first_plain_threads s(1);
  check_found(s, "solo", {"relaxed A4", "leave", operation::store, fault::relaxed});
  check_found(s, "solo", {"relaxed B3", "some_m_is_in_a_section", operation::load, fault::relaxed});
}

TEST_CASE("canary: an M that gets its P does not see that a plain thread has come", "[models][solo][canary]") {
  first_plain_threads s(1);
  check_found(s, "solo", {"relaxed C1 and C3", "solo_now", operation::load, fault::relaxed});
  check_found(s, "solo", {"a world that is published too late", "set_the_world", operation::store, fault::relaxed});
}
