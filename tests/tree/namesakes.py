#!/usr/bin/env python3
"""Namesakes: a header declares what its .cc defines.

A free function that a private header of runtime/ sched/ chan/ net/ declares, and that a .cc defines, is defined by the .cc
with the header's name, in the header's folder. So the name of a file says where a function is declared, and where it is
defined. A member function is declared in its class, which several files may implement. A public header is written for
users: it may declare functions of several files.

No .cc declares a function that is not its own: it includes the header. No header declares a function without a definition.

  namesakes.py [ROOT]
"""
import re
from collections import namedtuple

import tree
from public_names import KEYWORDS, without_templates

ROOMS = ("runtime", "sched", "chan", "net")

# kind: "declared" or "defined"; number: of parameters; own: of no other file (static, or in an unnamed namespace)
function = namedtuple("function", "line scope name number kind own")

NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"'
                     r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'|\[\[[^\]]*\]\]", re.S | re.M)
CALL = re.compile(r"((?:~?\w+\s*::\s*)*)(operator\s*(?:\(\s*\)|[^\s\w(]+|[\w\s*&]+)|[A-Za-z_]\w*)\s*\(")
NAMESPACE = re.compile(r"(?:inline\s+)?namespace\s*([\w:]*)")
CLASS = re.compile(r"\b(?:class|struct|union|enum)\b[^()=]*$")


def blanked(text):
    """The text with blanks for comments, strings, preprocessor lines and attributes."""
    return NO_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def parameters(text):
    """How many parameters a list has that begins here."""
    depth, number = 1, 0
    begin = text.strip()
    if begin.startswith((")", "void)")):
        return 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if depth == 0:
            break
        number += c == "," and depth == 1
    return number + 1


def called(head):
    """(what qualifies the name, name, number of parameters) of a function's head, or None."""
    plain = without_templates(head).strip()
    if plain.startswith(("using", "friend", "static_assert", "typedef")) or re.match(r"template\s+[^<\s]", head.strip()):
        return None
    for match in CALL.finditer(plain):
        if match[2] in KEYWORDS | {"__attribute__"} or match[2].isupper():
            continue
        if "=" in plain[:match.start()] or not plain[:match.start()].strip():
            return None
        return re.sub(r"\s", "", match[1]).removesuffix("::"), re.sub(r"\s", "", match[2]), parameters(plain[match.end():])
    return None


def functions(text):
    """The functions at namespace scope, and those that a body declares with `extern`; then whether all brackets match."""
    text = blanked(text)
    found, scopes, head, begin, paren = [], [], "", 0, 0

    def note(kind):
        if re.search(r"=\s*(default|delete)\s*$", head):
            kind = "defined"
        named = called(head)
        inside = "code" in (s[0] for s in scopes)
        if not named or inside and not (kind == "declared" and re.match(r"\s*extern\b", head)):
            return
        qualifier, name, number = named
        names = [n for s in scopes if s[0] == "namespace" for n in s[1].split("::")]
        own = "" in names or bool(re.match(r"\s*(?:inline\s+)?static\b", head)) or "C" in (s[0] for s in scopes)
        found.append(function(text.count("\n", 0, begin) + 1, "::".join(names + qualifier.split("::") * bool(qualifier)),
                              name, number, kind, own))

    for i, c in enumerate(text):
        paren += (c == "(") - (c == ")")
        if paren or c not in "{};":
            if not head.strip():
                begin = i
            head += c
            continue
        if c == "{":
            plain = without_templates(head).strip()
            if match := NAMESPACE.fullmatch(plain):
                scopes.append(("namespace", match[1]))
            elif plain == "extern":
                scopes.append(("C", ""))
            else:
                if not CLASS.search(plain):
                    note("defined")
                scopes.append(("code", ""))
        elif c == "}":
            if not scopes:
                return found, False
            scopes.pop()
        else:
            note("declared")
        head = ""
    return found, not scopes and not paren


def check(root):
    problems, all_of = [], {}
    for path in tree.files(root, *ROOMS, ends=(".h", ".cc")):
        here = path.relative_to(root)
        all_of[here], whole = functions(path.read_text(encoding="utf-8"))
        if not whole:
            problems.append(f"{here}:1: the brackets of this file do not match for namesakes.py")
    definers = {}
    for here, found in all_of.items():
        for f in found:
            if f.kind == "defined" and not f.own:
                definers.setdefault((f.scope, f.name, f.number), []).append(here)
    for here, found in all_of.items():
        for f in found:
            if f.kind == "defined" or f.own or "include" in here.parts:
                continue
            defined = definers.get((f.scope, f.name, f.number), [])
            where = [path for path in defined if path.suffix == ".cc"]
            if here.suffix == ".cc":
                problems.append(f"{here}:{f.line}: {f.name}() is declared in a .cc: include the header that declares it")
            elif not defined:
                problems.append(f"{here}:{f.line}: {f.name}() is declared, and no file of the library defines it")
            elif where and here.with_suffix(".cc") not in where:
                problems.append(f"{here}:{f.line}: {f.name}() is defined in {where[0]}: declare it in {where[0].with_suffix('.h')}")
    return problems


if __name__ == "__main__":
    tree.report(check)
