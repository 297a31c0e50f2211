#!/usr/bin/env python3
"""Conformance rows: which of rows.txt no test names, and tags that are no row.

  rows.py [ROOT]             fails on a tag that is no row
  rows.py --missing [ROOT]   prints what no test names, a line per family
"""
import re
import sys

import tree

ROW = re.compile(r"^([A-Z]+-\d+) \S")
TAG = re.compile(r"\[([A-Z]+-\d+)\]")


def rows(root):
    lines = tree.source_lines(root / "tests/tree/rows.txt")
    return [match[1] for line in lines if (match := ROW.match(line))]


def tags(root):
    """Every tag of a test that looks like a row, and where it stands first."""
    found = {}
    for path in tree.files(root, "tests", "lessons", ends=(".cc", ".py")):
        if path.parent == root / "tests/tree":
            continue
        for number, line in enumerate(tree.source_lines(path), 1):
            for row in TAG.findall(line):
                found.setdefault(row, f"{path.relative_to(root)}:{number}")
    return found


def check(root):
    known = set(rows(root))
    return [f"{at}: [{row}] is no row of tests/tree/rows.txt" for row, at in tags(root).items() if row not in known]


def missing(root):
    named, families, all_rows = tags(root), {}, rows(root)
    for row in all_rows:
        family, number = row.split("-")
        have, lack = families.setdefault(family, ([], []))
        (have if row in named else lack).append(number)
    print(f"rows: {sum(r in named for r in all_rows)} of {len(all_rows)} have a test")
    for family, (have, lack) in families.items():
        if lack:
            rest = "none has a test" if not have else "without: " + " ".join(lack)
            print(f"  {family:<5} {len(have):>3} of {len(have) + len(lack):>3}  {rest}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--missing"]:
        del sys.argv[1]
        missing(tree.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else tree.ROOT)
    else:
        tree.report(check)
