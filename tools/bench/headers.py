#!/usr/bin/env python3
"""What each public header costs a file that includes it: preprocessed lines, and seconds of CPU to compile it.

  headers.py [--lines] [HEADER...]     all headers if none is named; --lines leaves out the seconds
"""
import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["runtime", "sched", "chan", "net"]
# The goals: below these numbers of lines.
GOALS = {"weft.h": 45000, "chan.h": 25000, "mutex.h": 25000}


def command(*flags):
    cxx = os.environ.get("CXX", "g++")
    return [cxx, "-std=c++20", *(f"-I{ROOT / room / 'include'}" for room in ROOMS), *flags, "-x", "c++", "-"]


def lines(header):
    """How many lines the preprocessor makes of an include of `header`."""
    done = subprocess.run(command("-E"), input=f"#include <weft/{header}>\n", capture_output=True, text=True, check=True)
    return done.stdout.count("\n")


def seconds(header):
    """The CPU time to compile a file that has only this include."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command("-fsyntax-only"), input=f"#include <weft/{header}>\n", text=True, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def public_headers():
    return sorted(path.name for room in ROOMS for path in (ROOT / room / "include/weft").glob("*.h"))


def main(arguments):
    with_seconds = "--lines" not in arguments
    named = [a for a in arguments if not a.startswith("-")]
    unknown = [a for a in arguments if a.startswith("-") and a != "--lines"] + [n for n in named if n not in public_headers()]
    if unknown:
        print(f"headers.py: {unknown[0]} is neither a public header nor --lines", file=sys.stderr)
        return 2
    print(f"{'header':20}{'lines':>8}" + (f"{'CPU s':>8}" if with_seconds else "") + "  goal")
    for header in named or public_headers():
        count, goal = lines(header), GOALS.get(header)
        took = f"{seconds(header):8.2f}" if with_seconds else ""
        print(f"{header:20}{count:8}{took}" + (f"  {goal}{'' if count < goal else ' missed'}" if goal else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
