#include "lessons/support/recorded_run.h"

#include <sys/resource.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "lessons/support/machine.h"
#include "lessons/support/print.h"

namespace lesson {
namespace {

// std::mutex: it blocks the thread for a moment, and never switches fibers.
std::mutex printing;
record* the_record = nullptr;  // under printing
screen the_screen;             // under printing
int the_column = 0;            // under printing: column of the next text on the screen
std::map<std::uint64_t, std::string> given_names;  // under printing
std::atomic<std::uint64_t> sink{0};

std::chrono::nanoseconds cpu_time() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// Times the kernel has taken a CPU from a thread of the process that could run.
long preemptions() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return u.ru_nivcsw;
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Begins a new line where the text would be cut at the edge of the screen.
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

// The name that the fiber gave itself, else the name from its start.
std::string name_locked(std::uint64_t fiber, std::string_view name) {
  const auto at = given_names.find(fiber);
  return at != given_names.end() ? at->second : name_of(fiber, name);
}

}  // namespace

void name_fiber(std::string_view name) {
  const std::lock_guard hold(printing);
  given_names[weft::this_fiber::id()] = name;
}

void put(std::string_view text) {
  if (weft::sim::active()) return;  // one of many schedules
  const std::uint64_t fiber = weft::this_fiber::id();
  const std::lock_guard hold(printing);
  if (!the_record) return write_all(text);
  the_record->prints.push_back({fiber, name_locked(fiber, weft::this_fiber::name()), std::string(text), weft::now()});
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

namespace {

// A recording that is on, and what it adds to its record.
class recording {
 public:
  explicit recording(record& r) : r_(r) {
    r.maxprocs = weft::maxprocs();
    r.cpus = cpus_in_mask();
    r.quota = cpu_quota();
    start();
  }
  // Ends the recording.
  void end() {
    const std::lock_guard hold(lock_);
    stop();
    ended_ = true;
  }
  // Calls hook with what is recorded so far, unless the recording has ended.
  void save(const stalled_hook& hook) {
    const std::lock_guard hold(lock_);
    if (ended_) return;
    stop();
    hook(r_);
    start();
  }

 private:
  void start() {
    weft::timeline::start();
    began_ = weft::now();
    cpu_before_ = cpu_time();
    preempted_before_ = preemptions();
  }
  void stop() {
    r_.cpu += cpu_time() - cpu_before_;
    r_.preempted += preemptions() - preempted_before_;
    r_.wall += weft::now() - began_;
    std::vector<weft::timeline::stretch> more = weft::timeline::stop();
    const std::lock_guard hold(printing);
    for (weft::timeline::stretch& s : more)
      if (s.fiber != main_fiber) s.name = name_locked(s.fiber, s.name);
    std::move(more.begin(), more.end(), std::back_inserter(r_.stretches));
  }

  weft::mutex lock_;  // start() and stop() switch
  bool ended_ = false;
  record& r_;
  weft::time_point began_;
  std::chrono::nanoseconds cpu_before_{};
  long preempted_before_ = 0;
};

// Returns true if a fiber runs, sleeps or waits for I/O: the program continues by itself.
bool something_can_happen() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* memory = open_memstream(&text, &size);
  weft::dump_fibers(memory);
  std::fclose(memory);
  const std::string all(text, size);
  std::free(text);
  for (const char* state : {"[running", "[runnable", "[sleep", "[IO wait", "[in a blocking call"})
    if (all.find(state) != all.npos) return true;
  return false;
}

// A plain thread: while it lives, weft does not end a program whose fibers are all asleep. It ends
// before the run does, or after it has started the fiber that calls the hook.
class stall_watch {
 public:
  stall_watch(recording& on, const stalled_hook& hook) {
    if (hook) thread_ = std::thread([this, &on, &hook] { look(on, hook); });
  }
  ~stall_watch() {
    {
      const std::lock_guard hold(lock_);
      done_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) weft::blocking([this] { thread_.join(); });
  }

 private:
  // Lists the fibers, which takes long, only after a second without a switch.
  void look(recording& on, const stalled_hook& hook) {
    using namespace std::chrono_literals;
    std::unique_lock hold(lock_);
    for (std::uint64_t before = 0, quiet = 0;;) {
      if (changed_.wait_for(hold, 50ms, [this] { return done_; })) return;
      const std::uint64_t now = weft::stats().switches;
      quiet = now == before ? quiet + 1 : 0;
      before = now;
      if (quiet < 20) continue;
      if (!something_can_happen()) break;
      quiet = 0;
    }
    weft::go({.name = "recorder"}, [this, &on, &hook] { save(on, hook); });
  }
  // The sleep gives the system the time to forget the thread: weft counts the threads of the
  // process.
  void save(recording& on, const stalled_hook& hook) {
    on.save(hook);
    weft::blocking([this] { thread_.join(); });
    weft::sleep(std::chrono::milliseconds(100));
  }

  std::mutex lock_;
  std::condition_variable changed_;
  bool done_ = false;  // under lock_
  std::thread thread_;
};

}  // namespace

record recorded_run(const std::function<void()>& fibers, int maxprocs, const screen& shown,
                    const stalled_hook& stalled) {
  record r;
  {
    const std::lock_guard hold(printing);
    the_record = &r;
    the_screen = shown;
    given_names.clear();
    the_column = 0;
  }
  weft::options o;
  o.maxprocs = maxprocs;
  weft::run(o, [&] {
    recording on(r);
    const stall_watch watch(on, stalled);
    fibers();
    on.end();
  });
  const std::lock_guard hold(printing);
  the_record = nullptr;
  the_screen = {};
  return r;
}

}  // namespace lesson
