#!/usr/bin/env python3
"""REFERENCE.md lists every public name of the headers, and no other.

The section of a header is `## weft/NAME.h`, perhaps with more headers behind commas. A name stands between backticks in
the first column; members of a record may stand between backticks in any column of the record's row.

  reference.py [ROOT]
"""
import re

import public_names
import tree

NAME = re.compile(r"`([A-Za-z_][\w:]*)`")


def sections(root):
    """{header: (line number, rows)}; rows are (line number, names of the first column, names of the whole row)."""
    found, current = {}, []
    for number, line in enumerate(tree.source_lines(root / "REFERENCE.md"), 1):
        if line.startswith("## "):
            current = re.findall(r"weft/[\w/]+\.h", line)
            rows = []
            for header in current:
                found[header] = (number, rows)
        elif line.startswith("| `") and current:
            cells = re.split(r"(?<!\\)\|", line)
            rows.append((number, NAME.findall(cells[1]), NAME.findall(line)))
    return found


def check(root):
    if not (root / "REFERENCE.md").exists():
        return []
    problems, names, pages = [], public_names.public_names(root), sections(root)
    for header, declared in names.items():
        if not declared:
            continue
        if header not in pages:
            problems.append(f"REFERENCE.md:1: <{header}> has no section")
            continue
        at, rows = pages[header]
        first = {n for _, column, _ in rows for n in column}
        members = {(of, n) for _, column, row in rows for of in column for n in row}
        for name in declared:
            scope, _, last = name.rpartition("::")
            if name in first or (scope, last) in members:
                continue
            problems.append(f"REFERENCE.md:{at}: `{name}` of <{header}> is missing")
    by_section = {}
    for header, (at, rows) in pages.items():
        by_section.setdefault(at, (set(), rows))[0].update(names.get(header, []))
        if header not in names:
            problems.append(f"REFERENCE.md:{at}: there is no header <{header}>")
    for known, rows in by_section.values():
        for number, column, _ in rows:
            problems += [f"REFERENCE.md:{number}: `{n}` is declared by none of the section's headers"
                         for n in column if n not in known]
    return problems


if __name__ == "__main__":
    tree.report(check)
