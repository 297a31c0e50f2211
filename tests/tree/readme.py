#!/usr/bin/env python3
"""Code in Markdown is cut from files that are compiled and run.

A ```cpp block stands below a line `<!-- from PATH -->` and is that file, or the part of it between the lines
`// [NAME` and `// NAME]` for `<!-- from PATH#NAME -->`. Comments at a file's head are not shown. A path in Markdown
that is written as a link or as `folder/file.cc` names a file that exists, and a function that is written behind such a
path, as `sched/idle.cc: idle()`, stands in that file.

  readme.py [ROOT]
"""
import re

import tree

FROM = re.compile(r"<!-- from ([^ #]+)(?:#(\w+))? -->")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
PLACE = re.compile(r"`((?:[a-z0-9_]+/)+[a-z0-9_.]+\.(?:h|cc|py))(?::\s((?:[\w:~]+\(\)(?:,\s+)?)+))?`")


def part_of(lines, name):
    """What a README shows of a file: the named part, or everything below the comment at its head."""
    if name:
        begin, end = lines.index(f"// [{name}"), lines.index(f"// {name}]")
        return lines[begin + 1:end]
    while lines and lines[0].startswith("//"):
        lines = lines[1:]
    return lines


def wrong_with_block(root, lines, i):
    """What is wrong with the cpp block that opens at line i, or None."""
    match = FROM.fullmatch(lines[i - 1].strip()) if i > 0 else None
    if not match:
        return "a cpp block that does not say what file it is from"
    source = root / match[1]
    if not source.exists():
        return f"{match[1]} does not exist"
    try:
        wanted = part_of(tree.source_lines(source), match[2])
    except ValueError:
        return f"{match[1]} has no part [{match[2]}"
    block = lines[i + 1:lines.index("```", i)]
    if block == wanted:
        return None
    differs = next((n for n, (a, b) in enumerate(zip(block, wanted)) if a != b), min(len(block), len(wanted)))
    return f"the block differs from {match[1]} in its line {differs + 1}"


def wrong_names(root, folder, lines):
    """Paths and functions that the text names and that do not exist, with their lines. A path is from the root, or
    from the text's own folder."""
    text = "\n".join(lines)
    for match in PLACE.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        source = next((at for at in (root / match[1], folder / match[1]) if at.exists()), None)
        if not source:
            yield number, f"{match[1]} does not exist"
            continue
        code = source.read_text(encoding="utf-8")
        for call in re.split(r",\s+", match[2] or ""):
            name = call.removesuffix("()").split("::")[-1]
            if name and not re.search(rf"\b{re.escape(name)}\b *[({{]", code):
                yield number, f"{match[1]} has no {call}"


def check(root):
    problems = []
    for path in tree.files(root, ends=(".md",)):
        here, lines = path.relative_to(root), tree.source_lines(path)
        for i, line in enumerate(lines):
            at = f"{here}:{i + 1}"
            if line.startswith("```cpp") and (wrong := wrong_with_block(root, lines, i)):
                problems.append(f"{at}: {wrong}")
            problems += [f"{at}: the link to {to} leads nowhere" for to in LINK.findall(line)
                         if not (path.parent / to).exists()]
        problems += [f"{here}:{number}: {wrong}" for number, wrong in wrong_names(root, path.parent, lines)]
    return problems


if __name__ == "__main__":
    tree.report(check)
