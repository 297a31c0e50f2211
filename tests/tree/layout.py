#!/usr/bin/env python3
"""Which files there are: none too long to read, none where nobody would look for it.

  layout.py [ROOT]
"""
import re
import subprocess

import tree

MOST_LINES = 400

ROOM_FILES = r"(.*/)?([\w]+\.(h|cc)|README\.md|meson\.build)"
ALLOWED = [re.compile(p) for p in [
    r"(README|ARCHITECTURE|REFERENCE|CONTRIBUTING|CHANGELOG|SECURITY)\.md|LICENSE|meson\.build|meson_options\.txt",
    r"CMakeLists\.txt|docs/[\w-]+\.md",
    r"\.gitignore|\.clang-format|\.clang-tidy|\.ci/run",
    r"(runtime|sched|chan|net)/" + ROOM_FILES,
    r"lessons/(.*/)?([\w-]+\.(h|cc|md|py|html|svg)|[\w.-]+\.txt|meson\.build)",
    r"tests/fuzz/seeds/[\w-]+\.txt",
    r"tests/(.*/)?([\w-]+\.(h|cc|py|md|supp)|meson\.build)|tests/tree/(rows|seams|words)\.txt",
    r"tools/(.*/)?([\w-]+\.(h|cc|py|sh|md)|meson\.build)|tools/dev",
    r"tools/packaging/.*|tests/consumers/.*",
    r"tools/bench/peers/(\w+\.c|go/(\w+\.go|go\.mod)|rust/(Cargo\.(toml|lock)|src/\w+\.rs))",
    r"tools/bench/compare/(\w+\.py|reasons\.toml)|tools/bench/count_allocations\.c",
]]
# Code; a list of rows or a page of measurements may be as long as it is.
CODE = (".h", ".cc", ".c", ".go", ".rs", ".py", ".sh", "meson.build", "dev", "run")


def all_files(root):
    """What git knows of; outside a clone all there is, as in a release's archive."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    return tree.files(root)


def check(root):
    problems = []
    for path in all_files(root):
        here = str(path.relative_to(root))
        if path.is_symlink():
            continue
        if not any(p.fullmatch(here) for p in ALLOWED):
            problems.append(f"{here}:1: a file of this kind has no place here (tests/tree/layout.py lists the places)")
        elif here.endswith(CODE):
            n = len(tree.source_lines(path))
            if n > MOST_LINES:
                problems.append(f"{here}:{n}: {n} lines, more than {MOST_LINES}: look for two ideas in it")
    return problems


if __name__ == "__main__":
    tree.report(check)
