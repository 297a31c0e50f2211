#!/usr/bin/env python3
"""Memory orderings: each belongs to a named pair.

Every release, acquire, acq_rel and seq_cst and every fence in runtime/ sched/ chan/ net/ carries a [name] in the
comment on its line or right above its statement. Each name is explained in one `Note [name]` and stands at two
sites at least, for an ordering that nobody pairs with orders nothing (a relaxed access may be one of them, where
a lock or a fence orders it). An atomic operation that says no ordering is
a seq_cst one that nobody meant.

  orderings.py [ROOT]
"""
import re

import tree

ORDERING = re.compile(r"memory_order(_|::)(release|acquire|acq_rel|seq_cst)\b|atomic_(thread|signal)_fence\(")
ANY_ORDERING = re.compile(r"memory_order(_|::)[a-z]")
UNSAID = re.compile(r"(\.|->)(load\(\)|(store|exchange|fetch_(add|sub|or|and|xor)|compare_exchange_(weak|strong))\()")
NAME = re.compile(r"\[([a-z][a-z0-9-]*)\]")
NOTE = re.compile(r"^\s*//.*\bNote \[([a-z][a-z0-9-]*)\]:")


def code_of(line):
    return line.split("//")[0]


def comment_of(line):
    return line.split("//", 1)[1] if "//" in line else ""


def statement_start(lines, i):
    """The line where the statement that reaches line i begins."""
    while i > 0:
        before = code_of(lines[i - 1]).strip()
        if not before or before.endswith((";", "{", "}", ":")) or before.startswith("#"):
            break
        i -= 1
    return i


def names_at(lines, i):
    """The names in the comments of the statement that reaches line i: on its lines and right above them."""
    start = statement_start(lines, i)
    found = []
    for at in {start, i}:
        found += NAME.findall(comment_of(lines[at]))
        at -= 1
        while at >= 0 and lines[at].strip().startswith("//"):
            found += NAME.findall(lines[at])
            at -= 1
    return found


def whole_call(lines, i, start):
    """The text of the call that begins at column `start` of line i, to its closing bracket."""
    text = code_of(lines[i])[start:] + " ".join(code_of(line) for line in lines[i + 1:i + 4])
    depth = 0
    for at, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == ")" and depth == 0:
            return text[:at + 1]
    return text


def check(root):
    problems, sites, notes = [], {}, {}
    for path in tree.files(root, "runtime", "sched", "chan", "net", ends=(".h", ".cc")):
        here = path.relative_to(root)
        lines = tree.source_lines(path)
        for i, line in enumerate(lines):
            if note := NOTE.match(line):
                notes.setdefault(note[1], []).append(f"{here}:{i + 1}")
            for call in UNSAID.finditer(code_of(line)):
                if "memory_order" not in whole_call(lines, i, call.start()):
                    problems.append(f"{here}:{i + 1}: an atomic operation says no ordering")
            if not ANY_ORDERING.search(code_of(line)):
                continue
            names = names_at(lines, i)
            if not names and ORDERING.search(code_of(line)):
                problems.append(f"{here}:{i + 1}: an ordering without a [name]")
            for name in set(names):
                sites.setdefault(name, []).append(f"{here}:{i + 1}")
    for name, at in sorted(sites.items()):
        if name not in notes:
            problems.append(f"{at[0]}: [{name}] has no Note [{name}]")
        if len(at) < 2:
            problems.append(f"{at[0]}: [{name}] stands here only, and an ordering needs another side")
    for name, at in sorted(notes.items()):
        if name not in sites:
            problems.append(f"{at[0]}: Note [{name}] has no site")
        if len(at) > 1:
            problems.append(f"{at[1]}: Note [{name}] is written twice, first at {at[0]}")
    return problems


if __name__ == "__main__":
    tree.report(check)
