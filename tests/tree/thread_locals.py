#!/usr/bin/env python3
"""No function of the library both touches a thread-local and may suspend the fiber.

A fiber may go on in another thread after any suspension, and a compiler that knows nothing of that keeps the address
of a thread-local (of errno too) in a register across calls. So whoever reads one must be a function that
cannot suspend. This reads the disassembly, after all inlining: LIBRARY, on x86-64.
"""
import collections
import re
import subprocess
import sys

# Where fibers leave their stack, or call something that does: parts of mangled names.
SUSPENDS = ["6detail4park", "6detail10park_until", "6detail12park_forever", "15leave_without_p", "4weft5yieldEv",
            "6detail7executeE", "4weft5sleepE", "20enter_runtime_with_p", "14settle_section"]
# These call what may suspend only where no fiber's own code goes on afterwards with what was read before.
EXCUSED = {}

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
CALL = re.compile(r"\s(?:call|jmp)\s+[0-9a-f]+ <([^>+]+)(?:\+0x[0-9a-f]+)?>")
RELOCATED = re.compile(r"R_X86_64_(?:PLT32|PC32|GOTPCRELX?|REX_GOTPCRELX)\s+([^\s+-]+)")
THREAD_LOCAL = re.compile(r"%fs:(?!0x28\b)")


def whole(name):
    """The function that a part split off by the compiler belongs to."""
    return re.sub(r"(\.cold|\.part|\.isra|\.constprop)[.\d]*", "", name)


def read(lines):
    """Of each function: what it calls, and what it touches that belongs to a thread."""
    calls, touches = collections.defaultdict(set), collections.defaultdict(set)
    at = None
    branch = False
    for line in lines:
        if m := FUNCTION.match(line):
            at = whole(m[1])
            calls[at]
        elif at is None:
            continue
        elif m := RELOCATED.search(line):
            target = whole(m[1])
            if target in ("__tls_get_addr", "__errno_location"):
                touches[at].add(target)
            elif branch:
                calls[at].add(target)
        else:
            branch = bool(re.search(r"\s(call|jmp)\s", line))
            if m := CALL.search(line):
                calls[at].add(whole(m[1]))
            if THREAD_LOCAL.search(line):
                touches[at].add("a thread-local")
    return calls, touches


def suspending(calls):
    """Every function from which one that suspends can be reached by direct calls."""
    callers = collections.defaultdict(set)
    for f, targets in calls.items():
        for t in targets:
            callers[t].add(f)
    found = {f for f in [*calls, *callers] if any(s in f for s in SUSPENDS)}
    todo = list(found)
    while todo:
        for f in callers[todo.pop()]:
            if f not in found:
                found.add(f)
                todo.append(f)
    return found


def violations(lines):
    calls, touches = read(lines)
    suspends = suspending(calls)
    seeds = [s for s in SUSPENDS if not any(s in f for f in calls)]
    complaints = [f"nothing here is called *{s}*: the list of what suspends is out of date" for s in seeds]
    for f in sorted(touches):
        if f in suspends and f not in EXCUSED:
            complaints.append(f"{f}: touches {', '.join(sorted(touches[f]))} and may suspend")
    return complaints


def main():
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", sys.argv[1]], capture_output=True, text=True, check=True)
    found = violations(text.stdout.splitlines())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
