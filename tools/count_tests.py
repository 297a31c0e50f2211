#!/usr/bin/env python3
"""Adds up what the test programs of the last `meson test` said of themselves, and ends with `N passed, N failed`.

  count_tests.py [--broken N] KIND...     reads build/KIND/meson-logs/testlog.json; N more have failed elsewhere

A Catch2 program counts by its test cases, a Python one by its tests, anything else as one. A program that failed
without saying so (it crashed, or ran out of time) is one failure more. Before the counts stand the lines of each failed
program that tell what failed, as a log that is cut short keeps its end. Exit status 1 if anything failed.
"""
import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CATCH_ALL = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
CATCH_SOME = re.compile(r"^test cases:(.*)$", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_BAD = re.compile(r"^FAILED \((.*)\)$", re.M)

# The lines at which Catch2, unittest, the sanitizers and a fatal error of weft say that something is wrong.
TELLS = re.compile(r"FAILED:$|^(FAIL|ERROR): |(ERROR|WARNING): \w+Sanitizer|^(fatal error|panic): |^Assertion .* failed")
BEFORE, AFTER = 8, 16  # lines printed around such a line
MOST = 80  # lines printed of one program


class tally:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def number_of(word, text):
    """The n of `n word`, or of unittest's `word=n`."""
    match = re.search(rf"(\d+) {word}\b|\b{word}=(\d+)", text)
    return int(match[1] or match[2]) if match else 0


def said_by_itself(text):
    """What a test program's own summary says, or None if it has none."""
    if match := CATCH_ALL.search(text):
        return tally(passed=int(match[1]))
    if match := CATCH_SOME.search(text):
        as_expected = number_of("failed as expected", match[1])
        return tally(number_of("passed", match[1]) + as_expected, number_of("failed", match[1].split("failed as")[0]),
                     number_of("skipped", match[1]))
    if match := UNITTEST.search(text):
        bad = (UNITTEST_BAD.search(text) or [""])[0]
        failed, skipped = number_of("failures", bad) + number_of("errors", bad), number_of("skipped", text)
        return tally(int(match[1]) - failed - skipped, failed, skipped)
    if re.search(r"^No tests ran", text, re.M):
        return tally()
    return None


def count(test):
    """The tally of one line of testlog.json."""
    result = test["result"]
    if result == "SKIP":
        return tally(skipped=1)
    good = result in ("OK", "EXPECTEDFAIL")
    said = said_by_itself(test.get("stdout", "") + "\n" + test.get("stderr", ""))
    if said is None:
        return tally(passed=1) if good else tally(failed=1)
    if not good and said.failed == 0:
        said.failed = 1
    return said


def what_failed(test):
    """The lines of a failed program's output that tell what failed; its last lines where none does."""
    lines = (test.get("stdout", "") + "\n" + test.get("stderr", "")).splitlines()
    shown = set()
    for at, line in enumerate(lines):
        if TELLS.search(line):
            shown.update(range(max(0, at - BEFORE), min(len(lines), at + AFTER + 1)))
    told = [lines[at] for at in sorted(shown)][:MOST] or lines[-MOST:]
    return [line for line in told if line.strip()]


def count_build(kind):
    log = ROOT / "build" / kind / "meson-logs" / "testlog.json"
    if not log.exists():
        return tally()
    total = tally()
    for line in log.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        of_test = count(test)
        if of_test.failed:
            print(f"---- {kind}: {test['name']}: {test['result']}, status {test.get('returncode')}", *what_failed(test), sep="\n")
        total += of_test
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broken", type=int, default=0)
    parser.add_argument("kinds", nargs="+")
    args = parser.parse_args()
    total = tally()
    for kind in args.kinds:
        of_kind = count_build(kind)
        print(f"{kind}: {of_kind}")
        total += of_kind
    total.failed += args.broken
    if total.passed == 0 and total.failed == 0:
        total.failed = 1  # nothing ran
    print(total)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
