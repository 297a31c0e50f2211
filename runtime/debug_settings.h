// WEFT_DEBUG: words between commas that change what the runtime tells, or how it behaves to find bugs.
#pragma once
#include <string_view>

namespace weft::detail {

// When an error ends the process.
enum class traceback {
  none,    // what happened, in a line
  single,  // and the fiber it happened to
  all,     // and every other
  system,  // with the runtime's own frames
  crash    // and by a signal, for a core file
};

struct debug_settings {
  int ancestors = 0;             // ancestors=N: stacks show so many fibers above. sched/ancestry.h
  bool cgroup = true;            // cgroup=0: the default of maxprocs does not follow the CPU quota
  bool chaos = false;            // chaos=1: unlikely schedules. sched/chaos.cc
  bool leaks = false;            // leaks=1: as options.report_leaks
  bool poller = false;           // poller=1: which one was chosen, and why
  bool quit_continues = false;   // sigquit=continue: the process goes on after the dump
  bool stacks = false;           // stacks=1: how far down fibers use their stacks. sched/stack_marks.h
  int schedtrace_ms = 0;         // schedtrace=MS: a line about the scheduler so often; 0: none
  traceback told = traceback::single;  // traceback=...
};

// What `text` says (null: nothing). Calls complain with one line for each word that is not understood, unless it is
// null.
debug_settings parse_debug_settings(const char* text, void (*complain)(std::string_view));

// What WEFT_DEBUG says now. Complains in the log, the first time only.
debug_settings debug_settings_now();

}  // namespace weft::detail
