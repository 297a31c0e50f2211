#!/usr/bin/env python3
"""Runs every example and compares what it prints with the comment behind it in its source.

  examples_test.py PROGRAM [EXAMPLE...]

A `// Prints:` comment directly behind a function holds, one comment line for each line, what the function prints. Each
example runs with one P and with four: the lines and their order do not depend on the number of Ps.
"""
import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

FUNCTION = re.compile(r"^void (\w+)\(\) \{.*")
HERE = Path(__file__).resolve().parent


def promises(source):
    """{name: what it prints} of the functions of a file that a Prints comment follows."""
    found, name, lines = {}, None, source.splitlines()
    for i, line in enumerate(lines):
        if match := FUNCTION.match(line):
            name = match[1]
        if line == "// Prints:" and name and lines[i - 1].endswith("}"):
            said = []
            for text in lines[i + 1:]:
                if not text.startswith("//"):
                    break
                said.append(text[2:].removeprefix(" "))
            found[name], name = said, None
    return found


def all_promises(folder=HERE):
    found = {}
    for path in sorted(folder.glob("*.cc")):
        for name, said in promises(path.read_text(encoding="utf-8")).items():
            found[name] = (path.name, said)
    return found


def wrong_with(program, name, promised, processors):
    """What the run of an example shows that is not promised, as lines; none if it is right."""
    try:
        done = subprocess.run([program, name], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "WEFT_MAXPROCS": str(processors)})
    except subprocess.TimeoutExpired:
        return ["it has not ended within a minute"]
    wrong = [f"exit status {done.returncode}"] if done.returncode else []
    wrong += ["on standard error: " + line for line in done.stderr.splitlines()]
    printed = done.stdout.splitlines()
    if printed != promised:
        wrong += difflib.unified_diff(promised, printed, "the comment", "the program", lineterm="")
    return wrong


def main():
    program, *chosen = sys.argv[1:]
    listed = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout.split()
    promised, failures = all_promises(), 0
    if not listed:
        sys.exit("the program lists no example")
    for name in chosen or listed:
        if listed.count(name) != 1:
            wrong = [f"{listed.count(name)} examples have this name"]
        elif name not in promised:
            wrong = ["no `// Prints:` comment follows the function"]
        else:
            wrong = [line for n in (1, 4) for line in wrong_with(program, name, promised[name][1], n)]
        if wrong:
            failures += 1
            print(f"{promised.get(name, ('?',))[0]}: {name}", *wrong, sep="\n  ")
    unknown = subprocess.run([program, "no such example"], capture_output=True, text=True, timeout=60, check=False)
    if unknown.returncode != 2:
        failures += 1
        print(f"an unknown example: exit status {unknown.returncode}, not 2")
    print(f"{len(chosen or listed)} examples, {failures} not as promised")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
