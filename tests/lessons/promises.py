"""What the page of a lesson promises.

What to expect on one P and on two, as two items of a list:

  - At `--maxprocs=1`: `wrong` prints `fibers left: 1`; `right` never prints `torn`.
  - At `--maxprocs=2`: the same.

A clause is a program and a line of its output: `NAME` prints `LINE`, `NAME` never prints `LINE`, `NAME` ends with
`TEXT` (on stderr), or for a server `NAME` answers `TEXT`. A line may have the placeholders of expected.py.

promises.txt, beside the page, has what the page says about a recording: a sentence of the page in double quotes, and
below it expressions of Python that hold for the runs on one P (1:), on two (2:) or on each (both:).

  "The lane of the polite fiber is nearly empty."
    both: wrong.stream("polite")["running_us"] < 0.1 * wrong.wall_us

A program is a name with _ for -. Its attributes are the keys of --json; `run.stream(NAME)` is one of its streams, and
`run.text` is what it printed.
"""
import json
import re
from pathlib import Path

from expected import line

ITEM = re.compile(r"^- At `--maxprocs=([12])`: (.+?)(?=\n- |\n\n|\Z)", re.M | re.S)
CLAUSE = re.compile(r"`([\w-]+)` (prints|never prints|ends with|answers) `([^`]+)`")


def expectations(page):
    """{1: clauses, 2: clauses} of the page of a lesson; a clause is (program, what, line)."""
    found = {int(procs): " ".join(text.split()) for procs, text in ITEM.findall(page)}
    if set(found) != {1, 2}:
        raise ValueError("the page does not say what to expect at `--maxprocs=1` and at `--maxprocs=2`")
    clauses = {procs: CLAUSE.findall(text) for procs, text in found.items()}
    if found[2].startswith("the same"):
        clauses[2] = clauses[1] + clauses[2]
    for procs in (1, 2):
        if not clauses[procs]:
            raise ValueError(f"no clause at `--maxprocs={procs}` that can be checked")
    return clauses


def broken(clause, stdout, stderr):
    """None, or what is not as the clause says."""
    _, what, wanted = clause
    lines = (stderr if what == "ends with" else stdout).splitlines()
    fits = line(wanted).pattern.search if what == "ends with" else line(wanted).fits
    if any(fits(one) for one in lines) == (what == "never prints"):
        return " ".join(clause)
    return None


class run:
    """One run, as --json prints it."""

    def __init__(self, text):
        self.__dict__.update(json.loads(text))
        self.text = "".join(text for _, text in self.prints)

    def stream(self, name):
        return next(s for s in self.streams if s["name"] == name)

    def number(self, before):
        """The number that follows `before` in the output."""
        return float(re.search(re.escape(before) + r"\s*(-?[\d.]+)", self.text)[1])


def recorded_promises(folder):
    """(sentence, procs, expression) of promises.txt."""
    file, sentence, found = Path(folder) / "promises.txt", None, []
    if not file.exists():
        return []
    for text in file.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r'"(.*)"', text):
            sentence = match[1]
        elif match := re.fullmatch(r"  (1|2|both): (.*)", text):
            found += [(sentence, procs, match[2]) for procs in ((1, 2) if match[1] == "both" else (int(match[1]),))]
        elif text.strip():
            raise ValueError(f"{file}: {text}")
    return found


def names_in(expression):
    return set(re.findall(r"\b([a-zA-Z]\w*)\b(?=\.)", expression))
