#!/usr/bin/env python3
"""The comments: narrow enough to read, and enough of them where users read.

A comment on a line of its own ends at column 100. At least 30 % of the lines of a public header that are not empty are
comments.

  comments.py [ROOT]
"""
import tree

WIDEST = 100
LEAST_SHARE = 0.30
CODE = (".h", ".cc")
FOLDERS = [*tree.ROOMS, "tests", "tools"]


def is_comment(line):
    return line.lstrip().startswith("//")


def wide_comments(path):
    return [(at, len(line)) for at, line in enumerate(tree.source_lines(path), 1) if is_comment(line) and len(line) > WIDEST]


def share(path):
    lines = [line for line in tree.source_lines(path) if line.strip()]
    return sum(map(is_comment, lines)) / max(len(lines), 1)


def public_headers(root):
    return [p for room in tree.ROOMS for p in tree.files(root, f"{room}/include/weft", ends=(".h",))
            if "detail" not in p.parts]


def check(root):
    problems = [f"{path.relative_to(root)}:{at}: a comment of {wide} columns, more than {WIDEST}"
                for folder in FOLDERS for path in tree.files(root, folder, ends=CODE) for at, wide in wide_comments(path)]
    problems += [f"{path.relative_to(root)}:1: {100 * share(path):.0f} % of the lines of this public header are comments, "
                 f"less than {100 * LEAST_SHARE:.0f}" for path in public_headers(root) if share(path) < LEAST_SHARE]
    return problems


if __name__ == "__main__":
    tree.report(check)
