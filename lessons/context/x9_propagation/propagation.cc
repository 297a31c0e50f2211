// X9: steps that start further steps. A failure ends the steps whose work has become useless.
#include <map>
#include <mutex>

#include "lessons/support/page.h"

namespace {

using namespace weft;
using namespace std::chrono_literals;
using lesson::println;

struct step {
  std::string name;
  duration takes;
  std::vector<step> then;
};

const std::vector<step> plan{
    {"A", 100ms, {{"A1", 100ms, {{"A11", 50ms, {}}, {"A12", 300ms, {}}}}}},
    {"B", 200ms, {{"B1", 20ms, {}}, {"B2", 100ms, {{"B21", 150ms, {}}}}}},
};

class execution {
 public:
  explicit execution(std::string fails) : fails_(std::move(fails)) {}

  // Each step runs in a fiber, and starts the steps that follow it.
  void start(errgroup& group, const context& ctx, const step& s) {
    group.go([this, &group, ctx, &s]() -> std::error_code {
      lesson::name_fiber(s.name);
      if (sleep(ctx, lesson::scaled(s.takes))) return note(s, "cancelled", ctx.err());
      if (s.name == fails_) return note(s, "failed", make_error_code(errc::eof));
      note(s, "done", {});
      for (const step& next : s.then) start(group, ctx, next);
      return {};
    });
  }
  void report(const std::vector<step>& steps) const {
    for (const step& s : steps) {
      const auto at = ends_.find(s.name);
      println("{}: {}", s.name, at == ends_.end() ? "not started" : at->second);
      report(s.then);
    }
  }

 private:
  std::error_code note(const step& s, const char* end, std::error_code err) {
    const std::lock_guard hold(lock_);
    ends_[s.name] = end;
    return err;
  }
  const std::string fails_;
  mutex lock_;
  std::map<std::string, std::string> ends_;  // under lock_
};

void run_plan(const std::string& fails) {
  auto [group, ctx] = errgroup::with_context(background());
  execution e(fails);
  for (const step& s : plan) e.start(group, ctx, s);
  const std::error_code err = group.wait();
  e.report(plan);
  println("{}", err ? err.message() : "no error");
}

void healthy() { run_plan(""); }
void failing() { run_plan("A11"); }

const lesson::page page{
    "X9", "propagation", {{"healthy", "all steps end", healthy}, {"failing", "A11 fails after 250 ms", failing}}};

}  // namespace
