#!/usr/bin/env python3
"""Writes the version script of the shared library: the symbols that an installed header names.

  export_map.py NM OUTPUT ARCHIVE HEADERS...     HEADERS are folders; NM lists the symbols of ARCHIVE
  export_map.py NM OUTPUT OBJECT... -- HEADERS...

A function or variable of weft is exported if its name occurs in a header as an identifier. What else the library
contains (instantiations of the standard library, fmt, Boost, functions of one room) stays inside it.
"""
import re
import subprocess
import sys
from pathlib import Path

IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"//[^\n]*")
# The vtable and type information of a class of weft.
OF_A_CLASS = re.compile(r"^(?:vtable|typeinfo|typeinfo name|VTT|construction vtable) for ")


def header_names(folders):
    """The identifiers that the code of the headers below `folders` has."""
    names = set()
    for folder in folders:
        for path in Path(folder).rglob("*.h"):
            names |= set(IDENTIFIER.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))))
    return names


def without_arguments(demangled):
    """`weft::a<int>::f(char) const` -> `weft::a::f`."""
    out, depth = "", 0
    text = re.sub(r"operator(?:<=>|<<|>>|<=|>=|<|>|\(\)|->)", "operator", demangled)
    for char in text:
        if char == "(" and depth == 0:
            break
        if char == "<":
            depth += 1
        elif char == ">":
            depth -= 1
        elif depth == 0:
            out += char
    return out


def is_public(demangled, names):
    """Whether the header code names this symbol of weft."""
    if OF_A_CLASS.match(demangled):
        demangled = OF_A_CLASS.sub("", demangled)
    demangled = re.sub(r"^(?:guard variable for|TLS init function for|TLS wrapper function for) ", "", demangled)
    if "{lambda" in demangled or "(anonymous namespace)" in demangled or "[clone" in demangled:
        return False
    name = without_arguments(demangled).split("[abi:")[0].strip().split(" ")[-1]
    if not name.startswith("weft::"):
        return False
    parts = [p.lstrip("~") for p in name.split("::")]
    return all(p in names or p.startswith("operator") for p in parts)


def symbols(nm, files):
    """(mangled, demangled) of each symbol that `files` define for others."""
    def first_words(*flags):
        listed = subprocess.run([nm, "-p", "-g", "--defined-only", *flags, *files], capture_output=True, text=True, check=True)
        lines = (re.match(r"[0-9a-f]* +[A-Za-z] (.+)$", line) for line in listed.stdout.splitlines())
        return [line[1] for line in lines if line]

    return zip(first_words(), first_words("-C"))


def main():
    nm, output, *rest = sys.argv[1:]
    split = rest.index("--") if "--" in rest else 1
    files, folders = rest[:split], [r for r in rest[split:] if r != "--"]
    names = header_names(folders)
    public = sorted({m for m, d in symbols(nm, files) if is_public(d, names)})
    if not public:
        sys.exit("export_map.py: no public symbol found")
    lines = ["WEFT_1 {", "  global:", *(f"    {m};" for m in public), "  local:", "    *;", "};"]
    Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
