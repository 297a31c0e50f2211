// WEFT_SIM=seed=7 runs one schedule. WEFT_SIM=explore=1000,how=pos runs up to that many, and then
// one more. WEFT_SIM=html=FILE,replay=TEXT runs that schedule; replay is the last word. More words:
// depth=N, steps=N, leaks=0, early_timers=1, html=FILE.
//
// One schedule shows what the program prints on standard output. During all others, which explore,
// check that the program repeats, or cut a failure short, that goes nowhere. The main fiber is
// called once for each schedule, in this process: what it keeps in globals keeps its value.
#include "sched/sim/environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <weft/errors.h>
#include <weft/sim.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/fatal.h"
#include "sched/sim/stacks.h"

namespace weft::detail {
namespace {

struct orders {
  sim::options o;
  bool explores = false;
  std::string replay, html;
};

[[noreturn]] void not_understood(std::string_view word) {
  give_up(fmt::format(
      "WEFT_SIM: \"{}\" is not understood; seed=N, explore=N, replay=TEXT, how=random|pct|pos|bounded, depth=N, "
      "steps=N, leaks=0|1, early_timers=0|1, html=FILE between commas are",
      word));
}

template <class T>
T number_in(std::string_view word, std::string_view value) {
  T v{};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), v);
  if (error != std::errc() || end != value.data() + value.size()) not_understood(word);
  return v;
}

bool flag_in(std::string_view word, std::string_view value) {
  if (value != "0" && value != "1") not_understood(word);
  return value == "1";
}

sim::strategy strategy_in(std::string_view word, std::string_view value) {
  if (value == "random") return sim::strategy::random;
  if (value == "pct") return sim::strategy::pct;
  if (value == "pos") return sim::strategy::pos;
  if (value == "bounded") return sim::strategy::bounded;
  not_understood(word);
}

void obey(orders& all, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) not_understood(word);
  const std::string_view key = word.substr(0, equals), value = word.substr(equals + 1);
  if (key == "seed") {
    all.o.seed = number_in<std::uint64_t>(word, value);
  } else if (key == "explore") {
    all.explores = true;
    all.o.schedules = number_in<std::size_t>(word, value);
    if (all.o.schedules == 0) not_understood(word);
  } else if (key == "how") {
    all.o.how = strategy_in(word, value);
  } else if (key == "depth") {
    all.o.depth = number_in<int>(word, value);
  } else if (key == "steps") {
    all.o.max_steps = number_in<std::size_t>(word, value);
  } else if (key == "leaks") {
    all.o.leaks = flag_in(word, value);
  } else if (key == "early_timers") {
    all.o.early_timers = flag_in(word, value);
  } else if (key == "html") {
    if (value.empty()) not_understood(word);
    all.html = value;
  } else {
    not_understood(word);
  }
}

orders parse(std::string_view text) {
  orders all;
  while (!text.empty()) {
    if (text.starts_with("replay=")) {  // it has commas of its own
      if (text.size() == 7) not_understood(text);
      all.replay = text.substr(7);
      break;
    }
    const std::size_t comma = text.find(',');
    obey(all, text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return all;
}

void write_html(const std::string& path, const std::string& page) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  if (!f) {
    log_line(fmt::format("WEFT_SIM: cannot write {}", path));
    return;
  }
  std::fputs(page.c_str(), f);
  std::fclose(f);
}

[[noreturn]] void end_with(const sim::report& r, const orders& all) {
  std::fflush(stdout);
  fmt::print(stderr, "weft: {} after {} schedules, seed {}\n{}", sim::to_string(r.what), r.schedules, r.seed,
             r.story.empty() ? r.message + "\n" : r.story);
  std::fflush(stderr);
  if (!all.html.empty()) write_html(all.html, r.html);
  _exit(3);
}

// While one lives, what the program prints on standard output goes nowhere.
class quiet_output {
 public:
  quiet_output() {
    std::cout.flush();
    std::fflush(stdout);
    kept_ = dup(1);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
      dup2(nowhere, 1);
      close(nowhere);
    }
  }
  quiet_output(const quiet_output&) = delete;
  quiet_output& operator=(const quiet_output&) = delete;
  ~quiet_output() {
    std::cout.flush();
    std::fflush(stdout);
    if (kept_ >= 0) {
      dup2(kept_, 1);
      close(kept_);
    }
  }

 private:
  int kept_ = -1;
};

}  // namespace

int run_by_words(const char* text, std::size_t stack_size, const std::function<int()>& main_fiber) {
  const orders all = parse(text);
  set_usual_sim_stack(stack_size);
  int status = 0;
  std::optional<quiet_output> quiet;
  bool shown = false;  // a schedule with output
  const auto program = [&] {
    if (std::exchange(shown, true) && !quiet) quiet.emplace();
    status = main_fiber();
  };
  try {
    if (!all.replay.empty()) {
      const sim::report r = sim::replay(all.replay, program);
      quiet.reset();
      if (!r || !r.message.empty()) end_with(r, all);
      return status;
    }
    if (all.explores) {
      quiet.emplace();
      const sim::report r = sim::explore(all.o, program);
      quiet.reset();
      if (!r) end_with(r, all);
      log_line(fmt::format("simulation: {} schedules passed, {} of them distinct", r.schedules, r.distinct));
      shown = false;
    }
    const sim::report last = sim::run(all.o, program);
    quiet.reset();
    if (!last) end_with(last, all);
    return status;
  } catch (const panic& e) {  // of what WEFT_SIM says: what the program throws ends a schedule
    quiet.reset();
    give_up(fmt::format("WEFT_SIM={}: {}", text, e.what()));
  }
}

}  // namespace weft::detail
