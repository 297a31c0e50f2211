#!/usr/bin/env python3
"""Runs weft_bench and another program with the same flags and JSON line in turn, and prints medians and ratios.

  compare.py --rival /path/to/gobench [--bench build/release/tools/bench/weft_bench]
             [--rounds 7] [--only yield,fib] [--markdown]

Each round runs every row once with each program, back to back, so that both see the same weather. A ratio is
the median of the rounds' ratios: below 1 weft is faster. Exit status 1 if a row misses its target, 2 for bad usage.
"""
import argparse
import json
import shlex
import statistics
import subprocess
import sys

# workload, flags, {P: target ratio}, figure
ROWS = [
    ("yield", "", {1: 0.40}, "ns_per_op"),
    ("yield", "-fibers 1000", {1: 0.25, 2: 0.25}, "ns_per_op"),
    ("spawnbatch", "", {1: 0.15, 2: 0.30}, "ns_per_op"),
    ("spawnone", "", {1: 0.30, 2: 0.50}, "ns_per_op"),
    ("pingpong", "", {1: 0.30, 2: 0.45}, "ns_per_op"),
    ("spsc", "", {1: 0.25, 2: 0.45}, "ns_per_op"),
    ("mpmc", "", {1: 0.25, 2: 0.55}, "ns_per_op"),
    ("select2", "", {1: 0.40, 2: 0.55}, "ns_per_op"),
    ("selectdefault", "", {1: 1.0}, "ns_per_op"),
    ("mutex", "", {1: 1.1}, "ns_per_op"),
    ("ring", "", {1: 0.60, 2: 0.90}, "ns_per_op"),
    ("sieve", "", {1: 0.40, 2: 0.80}, "ns_per_op"),
    ("skynet", "", {1: 0.25, 2: 0.30}, "ns_per_op"),
    ("fib", "-n 32", {1: 0.20, 2: 0.20}, "ns_per_op"),
    ("timer", "", {1: 0.50}, "ns_per_op"),
    ("sleepers", "-fibers 10000", {1: 1.0, 2: 1.0}, "cpu_ns_per_op"),
    ("sleepers", "-fibers 10000", {1: 0.2, 2: 0.2}, "over_p50_us"),
]


def measure(program, workload, flags, p):
    command = shlex.split(program) + [workload, "-p", str(p)] + shlex.split(flags)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {shlex.join(command)} failed: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def runs_of(rows):
    """What to run once a round: rows that differ only in the figure share a run."""
    seen = []
    for workload, flags, targets, _ in rows:
        for p in targets:
            if (workload, flags, p) not in seen:
                seen.append((workload, flags, p))
    return seen


def compare(args):
    rows = [r for r in ROWS if not args.only or r[0] in args.only.split(",")]
    if not rows:
        sys.exit(f"compare: no row named {args.only}")
    results = {}
    for round_number in range(args.rounds):
        for run in runs_of(rows):
            order = [("weft", args.bench), ("rival", args.rival)]
            if round_number % 2:
                order.reverse()
            for who, program in order:
                results.setdefault(run, {"weft": [], "rival": []})[who].append(measure(program, *run))
    return rows, results


def report(rows, results, markdown):
    line = "| {:<28} | {:>2} | {:>11} | {:>11} | {:>6} | {:>6} | {} |" if markdown else "{:<28} {:>2}P {:>11} {:>11} {:>7} {:>7} {}"
    print(line.format("workload", "P", "weft", "rival", "ratio", "target", ""))
    if markdown:
        print("|---|---|---|---|---|---|---|")
    missed = 0
    for workload, flags, targets, figure in rows:
        for p, target in targets.items():
            pair = results[(workload, flags, p)]
            ours = [r[figure] for r in pair["weft"]]
            theirs = [r[figure] for r in pair["rival"]]
            ratio = statistics.median(a / b for a, b in zip(ours, theirs) if b)
            missed += ratio > target
            name = f"{workload} {flags}".strip() + ("" if figure == "ns_per_op" else f": {figure}")
            print(line.format(name, p, f"{statistics.median(ours):.1f}", f"{statistics.median(theirs):.1f}",
                              f"{ratio:.2f}", f"{target:.2f}", "" if ratio <= target else "missed"))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rival", required=True)
    parser.add_argument("--bench", default="build/release/tools/bench/weft_bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    rows, results = compare(args)
    sys.exit(1 if report(rows, results, args.markdown) else 0)


if __name__ == "__main__":
    main()
