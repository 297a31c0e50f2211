"""What the checks of the tree share: which files there are, and how a finding is reported."""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# From the bottom up. A room may include those before it.
ROOMS = ["runtime", "sched", "chan", "net", "lessons"]


def files(root, *tops, ends=("",)):
    """Every file below `root` (or its folders `tops`), sorted, builds and hidden folders left out."""
    found = []
    for top in tops or [""]:
        for folder, inside, names in os.walk(Path(root) / top):
            at_root = Path(folder) == Path(root)
            inside[:] = [d for d in inside if (not d.startswith(".") or d == ".ci") and d not in ("__pycache__", "shared")
                         and not (at_root and (d == "build" or d.startswith("build-")))]
            found += [Path(folder) / n for n in names if n.endswith(tuple(ends)) and n != ".git"]
    return sorted(found)


def source_lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def report(check):
    """Runs check(root), prints what it finds as FILE:LINE: TEXT, and exits with 1 if there was anything."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    found = check(root)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
