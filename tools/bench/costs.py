#!/usr/bin/env python3
"""What weft costs a user: the size of a hello, the compile time of each header, the time from clone to first line.

  costs.py BUILD [--clone]     prints a page in Markdown; with --clone it clones the repository, runs the first lesson
                               without a compiler cache, and reports the time and the CPU time until the first line
"""
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import headers

ROOT = headers.ROOT


def sizes(build):
    """Rows of (what, bytes) for the hello of the README and for the library."""
    hello = build / "tests/readme/hello"
    with tempfile.TemporaryDirectory() as temp:
        stripped = Path(temp) / "hello"
        subprocess.run(["strip", "-o", stripped, hello], check=True)
        library = Path(temp) / "libweft.a"
        shutil.copy2(build / "libweft.a", library)
        subprocess.run(["strip", "--strip-debug", library], check=True)
        return [("hello, stripped", stripped.stat().st_size), ("libweft.a as installed", library.stat().st_size),
                ("libweft.a with debug info", (build / "libweft.a").stat().st_size)]


def first_line():
    """(seconds, CPU seconds) from the start of a clone to the first line of the first lesson."""
    with tempfile.TemporaryDirectory() as temp:
        began, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["git", "clone", "-q", ROOT, f"{temp}/weft"], check=True)
        with subprocess.Popen([f"{temp}/weft/tools/dev", "lesson", "parallelism"], stdout=subprocess.PIPE,
                              env={**os.environ, "CCACHE_DISABLE": "1"}) as lesson:
            if not lesson.stdout.readline():
                sys.exit("costs.py: the lesson printed nothing")
            took = time.monotonic() - began
            lesson.stdout.read()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime


def page(build, with_clone):
    compiler = subprocess.run([*headers.command()[:1], "--version"], capture_output=True, text=True, check=True).stdout
    yield f"# What weft costs\n\n`./tools/dev costs --clone` printed this page: {compiler.splitlines()[0]}, {os.cpu_count()} CPUs, " \
          f"Linux {platform.release().split('-')[0]}.\n"
    yield "| size of | bytes |\n|---|---|"
    for what, size in sizes(build):
        yield f"| {what} | {size:,} |"
    if with_clone:
        took, cpu = first_line()
        yield f"\nFrom clone to the first line of the first lesson: {took:.0f} s, {cpu:.0f} CPU-seconds without a compiler cache."
    yield "\n| header | preprocessed lines | CPU-seconds to compile |\n|---|---|---|"
    for header in headers.public_headers():
        yield f"| {header} | {headers.lines(header):,} | {headers.seconds(header):.2f} |"


def main(arguments):
    unknown = [a for a in arguments[1:] if a != "--clone"]
    if not arguments or arguments[0].startswith("-") or unknown:
        print(__doc__, file=sys.stderr)
        return 2
    for line in page(Path(arguments[0]), "--clone" in arguments):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
