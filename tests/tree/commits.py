#!/usr/bin/env python3
"""Commit subjects are `room: imperative subject`, at most 72 columns, without semicolons (CONTRIBUTING.md).

  commits.py [ROOT]

For the commits after the rule came; nothing is checked where git or that part of the history is missing.
"""
import re
import subprocess

import tree

BEFORE_THE_RULE = "6109a4d60de28d2601a862c24d8ef26957330058"
COLUMNS = 72
SUBJECT = re.compile(r"[a-z][a-z0-9_/.-]*: [^A-Z\s;][^;]*[^.;\s]")


def fault(subject):
    """What is wrong with a subject; "" if nothing."""
    if len(subject) > COLUMNS:
        return f"{len(subject)} columns, at most {COLUMNS}"
    return "" if SUBJECT.fullmatch(subject) else "not `room: imperative subject`"


def check(root, since=BEFORE_THE_RULE):
    log = subprocess.run(["git", "-C", str(root), "log", "--no-merges", "--format=%h %s", f"{since}..HEAD"], capture_output=True,
                         text=True, check=False)
    if log.returncode != 0:
        return []
    commits = [line.split(" ", 1) for line in log.stdout.splitlines()]
    return [f"commit {name}: {why}: {subject}" for name, subject in commits if (why := fault(subject))]


if __name__ == "__main__":
    tree.report(check)
