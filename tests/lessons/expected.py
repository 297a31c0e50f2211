"""What a lesson should print: a text with a few placeholders for what differs from run to run.

In a line
  <n>           a number, possibly with a fraction
  <100+>        a number, 100 or more
  <2-3>         a number from 2 to 3
  <text>        anything
As a line
  <...>         any number of lines
  <maybe> LINE  this line or none
  <in any order> ... <end>   these lines, in some order
  <stderr> TEXT TEXT stands somewhere in a line of stderr, which is empty if no line says so
  <status N>    the exit status, 0 if no line says so
  <crash>       it ends by a signal or with an error, and stderr may have anything
  <flags FLAG...>  run it with these flags
  <fibers N>    so many exist at once: not for a sanitizer that has room for fewer
"""
import re

NUMBER = r"(-?\d+(?:\.\d+)?)"
PLACE = re.compile(r"<(n|text|[\d.]+\+|[\d.]+-[\d.]+)>")


class line:
    def __init__(self, text):
        self.text, self.bounds = text, []
        pattern, at = "", 0
        for match in PLACE.finditer(text):
            pattern += re.escape(text[at:match.start()])
            at = match.end()
            if match[1] == "text":
                pattern += ".*"
                continue
            pattern += NUMBER
            low, _, high = match[1].partition("-")
            self.bounds.append((None, None) if match[1] == "n" else
                               (float(match[1][:-1]), None) if match[1].endswith("+") else (float(low), float(high)))
        self.pattern = re.compile(pattern + re.escape(text[at:]))

    def fits(self, printed):
        match = self.pattern.fullmatch(printed)
        return bool(match) and all(
            (low is None or float(n) >= low) and (high is None or float(n) <= high)
            for n, (low, high) in zip(match.groups(), self.bounds))


class expectation:
    def __init__(self, text):
        self.status, self.stderr, self.items, self.flags, self.fibers = 0, [], [], [], 0
        self.crash = False
        lines = text.splitlines()
        while lines:
            first = lines.pop(0)
            if match := re.fullmatch(r"<status (\d+)>", first):
                self.status = int(match[1])
            elif first == "<crash>":
                self.crash = True
            elif match := re.fullmatch(r"<flags (.*)>", first):
                self.flags = match[1].split()
            elif match := re.fullmatch(r"<fibers (\d+)>", first):
                self.fibers = int(match[1])
            elif first.startswith("<stderr> "):
                self.stderr.append(first.removeprefix("<stderr> "))
            elif first == "<...>":
                self.items.append(("any", None))
            elif first.startswith("<maybe> "):
                self.items.append(("maybe", line(first.removeprefix("<maybe> "))))
            elif first == "<in any order>":
                end = lines.index("<end>")
                self.items.append(("bag", [line(one) for one in lines[:end]]))
                lines = lines[end + 1:]
            else:
                self.items.append(("line", line(first)))

    def wrong_with(self, stdout, stderr, status):
        """None, or in words what is not as expected."""
        if self.crash and status == 0:
            return "exit status 0"
        if self.crash:
            return None if self.match(0, stdout.splitlines(), 0) else "stdout is not as expected"
        if status != self.status:
            return f"exit status {status}, not {self.status}"
        if not self.stderr and stderr:
            return "something on stderr"
        for text in self.stderr:
            if not any(line(text).pattern.search(one) for one in stderr.splitlines()):
                return f"not on stderr: {text}"
        self.reached = 0
        if self.match(0, stdout.splitlines(), 0):
            return None
        return f"line {self.reached + 1} of stdout is not as expected"

    reached = 0

    def match(self, i, printed, j):
        self.reached = max(self.reached, j)
        if i == len(self.items):
            return j == len(printed)
        kind, what = self.items[i]
        if kind == "any":
            return any(self.match(i + 1, printed, k) for k in range(j, len(printed) + 1))
        if kind == "bag":
            return self.match_bag(what, printed[j:j + len(what)]) and self.match(i + 1, printed, j + len(what))
        if kind == "maybe" and self.match(i + 1, printed, j):
            return True
        return j < len(printed) and what.fits(printed[j]) and self.match(i + 1, printed, j + 1)

    @staticmethod
    def match_bag(wanted, printed):
        """Whether each wanted line can have a printed one of its own; exact lines choose first."""
        left = list(printed)
        for one in sorted(wanted, key=lambda w: bool(PLACE.search(w.text))):
            found = next((p for p in left if one.fits(p)), None)
            if found is None:
                return False
            left.remove(found)
        return not left
