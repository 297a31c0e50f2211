// WEFT_SIM=seed=7 runs one schedule. WEFT_SIM=explore=1000,how=pos runs up to that many, with
// standard output closed to the program, and then one more, with it. WEFT_SIM=replay=TEXT runs that
// schedule. More words: depth=N, steps=N, leaks=0, early_timers=1, html=FILE.
//
// The main fiber is called once for each schedule, in this process: what it keeps in globals keeps
// its value.
#include "sched/sim/environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <weft/sim.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/fatal.h"

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
    all.o.leaks = number_in<int>(word, value) != 0;
  } else if (key == "early_timers") {
    all.o.early_timers = number_in<int>(word, value) != 0;
  } else if (key == "html") {
    all.html = value;
  } else {
    not_understood(word);
  }
}

orders parse(std::string_view text) {
  orders all;
  if (text.starts_with("replay=")) {  // it has commas of its own
    all.replay = text.substr(7);
    return all;
  }
  while (!text.empty()) {
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

int run_as_told(const char* text, const std::function<int()>& main_fiber) {
  const orders all = parse(text);
  int status = 0;
  const auto program = [&] { status = main_fiber(); };
  if (!all.replay.empty()) {
    const sim::report r = sim::replay(all.replay, program);
    if (!r || !r.message.empty()) end_with(r, all);
    return status;
  }
  if (all.explores) {
    sim::report r;
    {
      const quiet_output while_exploring;
      r = sim::explore(all.o, program);
    }
    if (!r) end_with(r, all);
    log_line(fmt::format("simulation: {} schedules passed, {} of them distinct", r.schedules, r.distinct));
  }
  const sim::report last = sim::run(all.o, program);
  if (!last) end_with(last, all);
  return status;
}

}  // namespace weft::detail
