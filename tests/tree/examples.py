#!/usr/bin/env python3
"""Every public header and name is shown by a runnable example, and REFERENCE.md says where.

A file of tests/examples/ shows a header if it includes it and uses one of its names. Each function, type and constant
of a header, members left out, is used by a file that includes the header. A section of REFERENCE.md links files that show
its headers. Each example is in the table of its file under its own name, and has a `// Prints:` comment, which
tests/examples/examples_test.py compares with what the example prints.

  examples.py [ROOT]
"""
import re

import public_names
import tree

FOLDER = "tests/examples"

# Headers that no example shows, each with the reason.
NOT_SHOWN = {
    "weft/weft.h": "includes the others and declares nothing",
}

# Names that no example writes, each with the reason.
NOT_WRITTEN = {
    "bufio::default_max_line": "a default",
    "cancel_cause_func": "in the result of with_cancel_cause",
    "cancel_func": "in the result of with_cancel",
    "cancelable": "the result of with_cancel",
    "cancelable_with_cause": "the result of with_cancel_cause",
    "fs::walk_fn": "a lambda is passed to walk_dir",
    "net::lookup_category": "its errors need a name server",
    "net::make_error_code": "called by the comparison with a net::errc",
    "os::make_error_code": "called by the comparison with an os::errc",
    "os::os_category": "the category of os::errc",
    "os::signal_cancelable": "the result of signal_context",
    "os::stop_signals": "in the result of signal_context",
    "stack_use": "in the result of stats, with WEFT_DEBUG=stacks",
    "stop_token_cancel": "in the result of with_stop_token",
    "tls::make_error_condition": "called by the comparison with a tls::errc",
    "tls::tls_category": "the category of tls::errc",
}

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
INCLUDE = re.compile(r"^\s*#\s*include <(weft/\w+\.h)>")
ENTRY = re.compile(r'\{"(\w+)", (\w+)[,}]')
FUNCTION = re.compile(r"^void (\w+)\(\) \{")
LINK = re.compile(r"\]\((" + FOLDER + r"/\w+\.cc)\)")


def words_and_headers(path):
    """The words of a file's code, without the names of its examples, and the headers that it includes."""
    lines = tree.source_lines(path)
    code = "\n".join(STRING.sub("", line).split("//")[0] for line in lines
                     if not (line.lstrip().startswith("#") or FUNCTION.match(line) or ENTRY.search(line)))
    return set(re.findall(r"\w+", code)), {m[1] for line in lines if (m := INCLUDE.match(line))}


def last(name):
    return name.rpartition("::")[2]


def wrong_with_table(path, here):
    """Entries that do not name their function, and functions that have a comment but no entry, or the reverse."""
    lines = tree.source_lines(path)
    listed, promised, function = {}, set(), None
    for number, line in enumerate(lines, 1):
        if match := FUNCTION.match(line):
            function = match[1]
        if line == "// Prints:" and function and lines[number - 2].endswith("}"):
            promised.add(function)
            function = None
        for name, called in ENTRY.findall(line):
            listed[name] = number
            if name != called:
                yield f'{here}:{number}: "{name}" is not the name of {called}()'
    for name in sorted(promised - set(listed)):
        yield f"{here}:1: {name}() is not in the table"
    for name in listed:
        if name not in promised:
            yield f"{here}:{listed[name]}: no `// Prints:` comment follows {name}()"


def links(root):
    """(line number, headers, linked files) of each section of REFERENCE.md."""
    found = []
    if not (root / "REFERENCE.md").exists():
        return found
    for number, line in enumerate(tree.source_lines(root / "REFERENCE.md"), 1):
        if line.startswith("## "):
            found.append((number, re.findall(r"weft/\w+\.h", line), []))
        elif found:
            found[-1][2].extend(LINK.findall(line))
    return found


def check(root):
    if not (root / FOLDER).exists():
        return []
    names, problems, shown = public_names.public_names(root), [], {}
    used = {header: set() for header in names}  # words of the files that include it
    for path in tree.files(root, FOLDER, ends=(".cc",)):
        here = str(path.relative_to(root))
        problems += wrong_with_table(path, here)
        words, included = words_and_headers(path)
        shown[here] = {h for h in included if words & {last(n) for n in names.get(h, [])}}
        for header in included & set(used):
            used[header] |= words
    for header, declared in names.items():
        if header in NOT_SHOWN:
            continue
        if not any(header in headers for headers in shown.values()):
            problems.append(f"{FOLDER}:1: no example shows <{header}>")
            continue
        problems += [f"{FOLDER}:1: no example uses {n} of <{header}>" for n in declared
                     if n.rpartition("::")[0] not in declared and n not in NOT_WRITTEN and last(n) not in used[header]]
    for number, headers, files in links(root):
        for header in headers:
            if header in names and header not in NOT_SHOWN and not any(header in shown.get(f, ()) for f in files):
                problems.append(f"REFERENCE.md:{number}: the section links no example that shows <{header}>")
    return problems


if __name__ == "__main__":
    tree.report(check)
