#!/usr/bin/env python3
"""The files that the tests of some suites need, for ninja: suite_targets.py BUILD [SUITE...]; without a suite those of all."""
import json
import subprocess
import sys
from pathlib import Path


def introspect(build, what):
    found = subprocess.run(["meson", "introspect", what, build], capture_output=True, text=True, check=True)
    return json.loads(found.stdout)


def main():
    build, *suites = sys.argv[1:]
    wanted = set()
    for test in introspect(build, "--tests"):
        if not suites or {s.split(":")[-1] for s in test["suite"]} & set(suites):
            wanted |= set(test["depends"])
    root = Path(build).resolve()
    for target in introspect(build, "--targets"):
        if target["id"] in wanted:
            print(*(Path(name).resolve().relative_to(root) for name in target["filename"]), sep="\n")


if __name__ == "__main__":
    main()
