#!/usr/bin/env python3
"""Include arrows: runtime < sched < chan < net < lessons, and nothing points up.

A public header is ROOM/include/weft/X.h and is included as <weft/X.h>, so that it reads the same inside the tree
and after installation; it includes no private header. Every other header is private to its room, except those
that seams.txt opens to a room above. Tests and tools may include anything.

Rooms have sub-rooms, whose arrows point one way too: SUBROOMS. A door is a file that reaches all of its room.

  includes.py [ROOT]
"""
import re
from pathlib import Path

import tree

# From the bottom up, per room. A folder that is not listed fails; "" is the room's own folder.
SUBROOMS = {
    "runtime": ["", "unwind"],
    "sched": ["", "diagnosis", "sim"],
    "net": ["fd", "poller", "socket", "fs", "os", "tls", "http"],
}
DOORS = {"sched/run.cc"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def subroom_of(path):
    """The index of a file's sub-room in its room's order, or None where the room has none."""
    order = SUBROOMS.get(path.parts[0])
    if not order or (len(path.parts) > 2 and path.parts[1] == "include"):
        return None
    inside = path.parts[1] if len(path.parts) > 2 else ""
    return order.index(inside) if inside in order else None


def room_of(path):
    return path.parts[0] if path.parts[0] in tree.ROOMS else None


def public_headers(root):
    """The name behind `weft/` of each public header, and its room."""
    found = {}
    for room in tree.ROOMS:
        base = root / room / "include" / "weft"
        for path in tree.files(root, f"{room}/include/weft", ends=(".h",)):
            found.setdefault(str(path.relative_to(base)), []).append(room)
    return found


def seams(root):
    """{(header, room above)} and the line of each in seams.txt."""
    at = root / "tests/tree/seams.txt"
    found = {}
    for number, line in enumerate(tree.source_lines(at) if at.exists() else [], 1):
        words = line.split("#")[0].split()
        for room in words[1:]:
            found[(words[0], room)] = number
    return found


class checker:
    def __init__(self, root):
        self.root = root
        self.public = public_headers(root)
        self.seams = seams(root)
        self.used = set()
        self.problems = []

    def run(self):
        for name, rooms in self.public.items():
            if len(rooms) > 1:
                self.problems.append(f"<weft/{name}> is in more than one room: {', '.join(rooms)}")
        for path in tree.files(self.root, *tree.ROOMS, ends=(".h", ".cc")):
            here = path.relative_to(self.root)
            for number, line in enumerate(tree.source_lines(path), 1):
                if match := INCLUDE.match(line):
                    wrong = self.wrong_with(here, match[1], match[2])
                    if wrong:
                        self.problems.append(f"{here}:{number}: {wrong}")
        for seam in sorted(self.seams.keys() - self.used):
            self.problems.append(f"tests/tree/seams.txt:{self.seams[seam]}: {seam[1]} no longer includes {seam[0]}")
        return self.problems

    def wrong_with(self, here, bracket, name):
        if bracket == "<":
            if not name.startswith("weft/"):
                return None
            rooms = self.public.get(name.removeprefix("weft/"))
            if not rooms:
                return f"<{name}> is no public header of any room"
            return self.upward(here, rooms[0], f"<{name}>")
        return self.wrong_with_private(here, Path(name))

    def wrong_with_private(self, here, name):
        room = room_of(here)
        if here.parts[1] == "include":
            return f'a public header includes the private "{name}"'
        to = room_of(name)
        if not to or not (self.root / name).exists():
            return f'"{name}" is no path from the root of the tree'
        if "include" in name.parts:
            return f'"{name}" is public: include it as <weft/{name.name}>'
        if up := self.upward(here, to, f'"{name}"'):
            return up
        if to == room:
            return self.upward_inside(here, name)
        seam = (str(name), room)
        self.used.add(seam)
        return None if seam in self.seams else f'"{name}" is private to {to}/ (see tests/tree/seams.txt)'

    @staticmethod
    def upward_inside(here, name):
        from_, to = subroom_of(here), subroom_of(name)
        if from_ is None or to is None or to <= from_ or str(here) in DOORS:
            return None
        return f'"{name}" points up: {here.parent}/ knows nothing of {name.parent}/'

    @staticmethod
    def upward(here, to, what):
        room = room_of(here)
        if tree.ROOMS.index(to) > tree.ROOMS.index(room):
            return f"{what} points up: {room}/ knows nothing of {to}/"
        return None


def check(root):
    return checker(root).run()


if __name__ == "__main__":
    tree.report(check)
