#include "lessons/support/recorded_run.h"

#include <unistd.h>
#include <weft/weft.h>

#include <algorithm>
#include <ctime>
#include <mutex>

#include "lessons/support/print.h"

namespace lesson {
namespace {

// Plain threads' tools: they block the thread for a moment, but never switch fibers.
std::mutex printing;
record* the_record = nullptr;  // under printing
screen the_screen;             // under printing
int the_column = 0;            // under printing: where the next text goes on the screen
std::atomic<std::uint64_t> sink{0};

std::chrono::nanoseconds cpu_time() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// So that no token is cut in two at the screen's edge.
void new_line_if_full(std::string_view text) {
  const terminal& t = *the_screen.to;
  const auto columns = static_cast<int>(std::min(text.find('\n'), text.size()));
  if (t.wraps && the_column > 0 && the_column + columns >= t.width) {
    write_all("\n");
    the_column = 0;
  }
  const auto last_line = text.rfind('\n');
  if (last_line == text.npos) the_column += static_cast<int>(text.size());
  else the_column = static_cast<int>(text.size() - last_line - 1);
}

}  // namespace

void put(std::string_view text) {
  const std::uint64_t fiber = weft::this_fiber::id();
  const std::lock_guard hold(printing);
  if (!the_record) return write_all(text);
  the_record->prints.push_back({fiber, name_of(fiber, weft::this_fiber::name()), std::string(text), weft::now()});
  if (!the_screen.to) return;
  new_line_if_full(text);
  if (fiber == main_fiber) write_all(text);
  else write_all(the_screen.to->styled(the_screen.who->of(the_record->prints.back().name).text(), text));
}

void work(long rounds) noexcept {
  std::uint64_t x = 1;
  for (long i = 0; i < rounds; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  sink.store(x, std::memory_order_relaxed);
}

record recorded_run(const std::function<void()>& fibers, int maxprocs, const screen& shown) {
  record r;
  {
    const std::lock_guard hold(printing);
    the_record = &r;
    the_screen = shown;
    the_column = 0;
  }
  weft::options o;
  o.maxprocs = maxprocs;
  weft::run(o, [&] {
    r.maxprocs = weft::maxprocs();
    weft::timeline::start();
    const weft::time_point began = weft::now();
    const std::chrono::nanoseconds cpu_before = cpu_time();
    fibers();
    r.cpu = cpu_time() - cpu_before;
    r.wall = weft::now() - began;
    r.stretches = weft::timeline::stop();
  });
  const std::lock_guard hold(printing);
  the_record = nullptr;
  the_screen = {};
  return r;
}

}  // namespace lesson
