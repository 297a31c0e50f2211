// WEFT_DEBUG: words between commas that change what the runtime prints, or how it behaves to find
// bugs.
#pragma once
#include <string_view>

namespace weft::detail {

// The amount of text that is printed when an error ends the process.
enum class traceback {
  none,    // the error, in a line
  single,  // and the fiber it happened to
  all,     // and every other fiber
  system,  // with the runtime's own frames
  crash    // and by a signal, for a core file
};

struct debug_settings {
  int ancestors = 0;             // ancestors=N: stacks show N fibers above. sched/ancestry.h
  bool cgroup = true;            // cgroup=0: the default of maxprocs does not follow the CPU quota
  bool chaos = false;            // chaos=1: unlikely schedules. sched/chaos.cc
  int guard_kib = 0;             // guard=KIB: the size of guards below stacks; 0: options.guard_size
  bool leaks = false;            // leaks=1: as options.report_leaks
  bool limit = true;             // limit=0: fibers without a P compute on any CPU. sched/cpu_limit.cc
  bool poller = false;           // poller=1: which one was chosen, and why
  bool sigquit_continues = false;   // sigquit=continue: the process continues after the dump
  bool stacks = false;           // stacks=1: how far down fibers use their stacks. sched/stack_marks.h
  int schedtrace_ms = 0;         // schedtrace=MS: a line about the scheduler every MS; 0: none
  traceback traceback_level = traceback::single;  // traceback=...
};

// Returns the settings in `text` (may be null). Calls complain, unless it is null, with one line
// for each word that is not understood.
debug_settings parse_debug_settings(const char* text, void (*complain)(std::string_view));

// Returns the settings of WEFT_DEBUG. Logs complaints the first time only.
debug_settings debug_settings_now();

}  // namespace weft::detail
