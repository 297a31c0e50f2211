#!/usr/bin/env python3
"""The preprocessed lines of public headers, which may only fall.

  header_weights.py [ROOT]     the limits are for g++ 12, so another compiler is not checked
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
sys.path.insert(0, str(ROOT / "tools/bench"))
import headers  # noqa: E402

# The goals are in headers.GOALS. Lower a limit when a header has become lighter.
LIMITS = {"weft.h": 95500, "chan.h": 61500, "mutex.h": 42000, "go.h": 53500}


def main():
    version = subprocess.run(headers.command("-dumpversion")[:1] + ["-dumpversion"], capture_output=True, text=True, check=False)
    if version.stdout.split(".")[0].strip() != "12":
        print("not checked: the limits are those of g++ 12")
        return 0
    broken = 0
    for header, limit in LIMITS.items():
        count = headers.lines(header)
        if count > limit:
            print(f"weft/{header}: {count} preprocessed lines, more than {limit}: include less (./tools/dev bench-headers)")
            broken = 1
    return broken


if __name__ == "__main__":
    sys.exit(main())
