#!/usr/bin/env python3
"""The words: comments, pages and messages are in plain technical English.

words.txt lists expressions that plain English replaces, and for each folder how many hits are allowed. That number may
only fall: lower it when a folder has fewer. Counted are comments of C++ files, the texts in string literals of the
library, and the prose of Markdown pages without code blocks.

  words.py [ROOT]          fails where a folder has more hits than words.txt allows
  words.py --list PATH...  prints each hit below these paths, and the hits per 1,000 comment lines
"""
import re
import sys
from pathlib import Path

import tree

FOLDERS = ["runtime", "sched", "chan", "net", "lessons", "tests", "tools", "docs", "."]
LIBRARY = FOLDERS[:4]
CODE = (".h", ".cc")
COMMENT = re.compile(r"//(.*)$")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')


def rules(root):
    """The expressions as one regular expression, and {folder: hits allowed}."""
    expressions, allowed = [], {}
    for line in tree.source_lines(root / "tests/tree/words.txt"):
        line = line.split("#")[0].strip()
        if line.startswith("allow "):
            _, folder, hits = line.split()
            allowed[folder] = int(hits)
        elif line:
            expressions.append(line)
    if not expressions:
        return None, allowed
    return re.compile(r"\b(?:" + "|".join(expressions) + r")\b", re.IGNORECASE), allowed


def comment_of(line):
    """The comment in a line of C++, or None. A // inside a string literal is not one."""
    match = COMMENT.search(re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: " " * len(m[0]), line))
    return line[match.start(1):] if match else None


def prose(path):
    """(line number, text) of each comment line of a C++ file, or of each line of a page outside code blocks."""
    lines = tree.source_lines(path)
    if path.suffix != ".md":
        return [(n, text) for n, line in enumerate(lines, 1) if (text := comment_of(line)) is not None]
    found, in_code = [], False
    for n, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith("    "):
            found.append((n, line))
    return found


def hits(path, pattern):
    """In each line, and over the break between two lines of one paragraph."""
    lines = [(n, QUOTED.sub("", text).strip()) for n, text in prose(path)]
    found = [(n, m[0]) for n, text in lines for m in pattern.finditer(text)]
    for (n, first), (after, second) in zip(lines, lines[1:]):
        if after != n + 1 or not first or not second or second[0] in "-*|#":
            continue
        joined = f"{first} {second}"
        found += [(n, m[0]) for m in pattern.finditer(joined) if m.start() < len(first) < m.end()]
    return found


def message_hits(path, pattern):
    """In the string literals of C++ that have several words: those that a user may see."""
    found = []
    for n, line in enumerate(tree.source_lines(path), 1):
        code = line[:match.start()] if (match := COMMENT.search(LITERAL.sub(lambda m: " " * len(m[0]), line))) else line
        if not code.lstrip().startswith("#"):
            found += [(n, m[0]) for text in LITERAL.findall(code) if " " in text for m in pattern.finditer(text)]
    return found


def all_hits(path, pattern, folder):
    in_code = path.suffix in CODE and str(folder).split("/")[0] in LIBRARY
    return hits(path, pattern) + (message_hits(path, pattern) if in_code else [])


def files_of(root, folder):
    if folder == ".":
        return sorted(p for p in root.glob("*.md"))
    return [p for p in tree.files(root, folder, ends=(*CODE, ".md"))]


def check(root):
    if not (root / "tests/tree/words.txt").exists():
        return []
    pattern, allowed = rules(root)
    problems = []
    if pattern is None:
        return ["tests/tree/words.txt:1: lists no expression"]
    for folder in FOLDERS:
        found = [(p, n, w) for p in files_of(root, folder) for n, w in all_hits(p, pattern, folder)]
        if len(found) > allowed.get(folder, 0):
            problems.append(f"tests/tree/words.txt:1: {folder} has {len(found)} hits, {allowed.get(folder, 0)} are allowed: "
                            f"tests/tree/words.py --list {folder}")
    return problems


def list_hits(root, paths):
    pattern, _ = rules(root)
    lines = total = 0
    for at in paths:
        for path in [Path(at)] if Path(at).is_file() else tree.files(at, ends=(*CODE, ".md")):
            lines += len(prose(path))
            for n, word in all_hits(path, pattern, at):
                total += 1
                print(f"{path}:{n}: {word}")
    print(f"{total} hits in {lines} comment lines: {1000 * total / max(lines, 1):.1f} in 1,000")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--list"]:
        list_hits(tree.ROOT, sys.argv[2:] or ["."])
    else:
        tree.report(check)
