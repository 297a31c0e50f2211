#!/usr/bin/env python3
"""GoogleTest prints the story of a failing exploration: googletest_test.py PROGRAM; without one it is skipped."""
import subprocess
import sys

if len(sys.argv) < 2:
    print("skipped: GoogleTest is missing (Debian: libgtest-dev)")
    sys.exit(77)
done = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=False, timeout=300)
wanted = ["[       OK ] weft_sim.passes", "[  FAILED  ] weft_sim.fails", "deadlock after 1 schedules, seed 1",
          "deadlock: all fibers are asleep", "fiber 2 [chan receive]", "1 (main)", "googletest.cc:20", "replay: w1-1-0-"]
missing = [text for text in wanted if text not in done.stdout]
if done.returncode != 1 or missing:
    sys.exit(f"status {done.returncode}, missing: {missing}\n{done.stdout}{done.stderr}")
print("GoogleTest prints the story")
