"""Counts instead of times: instructions and allocations per operation, and system calls per request of a server.

Each is what a run of 2n operations has more than one of n, over n: what starting and ending cost is in both. On one P
the counts hardly move from run to run, so one pair is enough where a clock would need many rounds. On more Ps they move
by a few percent on a quiet machine, by a quarter on a busy one, and tell whether a cost grows with the number of Ps, of
which most are idle.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Progress, command_of
from peers import BENCH, BUILD, Missing, newer, run_or_miss

VALGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
# Where the runtime says itself what it allocated, and where Valgrind cannot run it.
COUNTS_ITSELF = {"go": "mallocs"}
NOT_UNDER_VALGRIND = {"go"}


# Whose instructions are counted with more Ps too, and the numbers of Ps.
BY_P = ("spawnbatch", "spawnone", "pingpong", "spsc", "select2", "timer")
PS = (1, 2, 4, 16, 64, 128)


class Uncounted(Exception):
    pass


def last_json(text):
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError) as e:
        raise Uncounted("it printed no line of JSON") from e


def run(command, limit, **settings):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False, **settings)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Uncounted(str(e)) from e
    if done.returncode != 0:
        raise Uncounted((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    return done


def instructions(command, limit, _peer):
    done = run(VALGRIND + command, limit)
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if not collected:
        raise Uncounted("callgrind said no number")
    return int(collected[1]), last_json(done.stdout)["ops"]


def counting_library():
    target = BUILD / "count_allocations.so"
    source = BENCH / "count_allocations.c"
    if not newer(target, source):
        target.parent.mkdir(parents=True, exist_ok=True)
        run_or_miss([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", source, "-o", target, "-ldl"],
                    "counting allocations needs glibc and a C compiler")
    return target


def allocations(command, limit, peer):
    if peer.name in COUNTS_ITSELF:
        result = last_json(run(command, limit).stdout)
        return result[COUNTS_ITSELF[peer.name]], result["ops"]
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder) / "count"
        env = os.environ | {"LD_PRELOAD": str(counting_library()), "COUNT_ALLOCATIONS_IN": str(count)}
        done = run(command, limit, env=env)
        if not count.exists():
            raise Uncounted("nothing was counted")
        return int(count.read_text(encoding="utf-8")), last_json(done.stdout)["ops"]


def system_calls(peer, row, limit):
    """Of the server, from its start to its end, over the requests that it has answered."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "calls"
        command = command_of(peer, row, 1, 0)
        at = command.index("--") + 1
        done = run(command[:at] + ["strace", "-I", "2", "-f", "-qq", "-c", "-o", str(summary)] + command[at:], limit)
        total = re.search(r"^100\.00.*?(\d+)(?:\s+\d+)? total$", summary.read_text(encoding="utf-8"), re.M) if summary.exists() else None
        if not total:
            raise Uncounted("strace said no number")
        return int(total[1]) / last_json(done.stdout)["asked"]


def per_operation(count, peer, row, limit, p=1):
    once, ops_once = count(command_of(peer, row, p, row.n), limit, peer)
    twice, ops_twice = count(command_of(peer, row, p, 2 * row.n), limit, peer)
    return (twice - once) / (ops_twice - ops_once)


def kinds():
    """What can be counted here, and what cannot."""
    found = {"allocations": allocations}
    try:
        counting_library()
    except Missing as e:
        print(f"compare: allocations are not counted: {e}", file=sys.stderr)
        found = {}
    if shutil.which("valgrind"):
        found["instructions"] = instructions
    else:
        print("compare: instructions are not counted: no valgrind; apt install valgrind", file=sys.stderr)
    return found


def count_all(ready, rows, served, limit, keep):
    work = [(kind, count, row, peer) for kind, count in kinds().items() for row in rows for peer in ready
            if row.workload in peer.workloads and not (kind == "instructions" and peer.name in NOT_UNDER_VALGRIND)]
    progress = Progress(len(work))
    for kind, count, row, peer in work:
        progress.step(f"{kind} of {row.workload} {peer.name}")
        try:
            per_op = per_operation(count, peer, row, limit)
        except Uncounted as e:
            print(f"\ncompare: {kind} of {row.workload} {peer.name}: {e}", file=sys.stderr)
            continue
        keep({"section": "counts", "kind": kind, "peer": peer.name, "workload": row.workload, "per_op": per_op})
    progress.end()
    count_by_p(next(p for p in ready if p.name == "weft"), [row for row in rows if row.workload in BY_P], limit, keep)
    count_calls(ready, served, limit, keep)


def count_by_p(peer, rows, limit, keep):
    if not shutil.which("valgrind"):
        return
    progress = Progress(len(rows) * len(PS))
    for row in rows:
        for p in PS:
            progress.step(f"instructions of {row.workload} {p}P")
            try:
                per_op = per_operation(instructions, peer, row, limit, p)
            except Uncounted as e:
                print(f"\ncompare: instructions of {row.workload} {p}P: {e}", file=sys.stderr)
                continue
            keep({"section": "counts", "kind": "instructions by P", "peer": peer.name, "workload": row.workload, "p": p,
                  "per_op": per_op})
    progress.end()


def count_calls(ready, rows, limit, keep):
    if not shutil.which("strace"):
        print("compare: system calls are not counted: no strace; apt install strace", file=sys.stderr)
        return
    work = [(row, peer) for row in rows for peer in ready if row.workload in peer.workloads]
    progress = Progress(len(work))
    for row, peer in work:
        progress.step(f"system calls of {row.name} {peer.name}")
        try:
            calls = system_calls(peer, row, limit)
        except Uncounted as e:
            print(f"\ncompare: system calls of {row.name} {peer.name}: {e}", file=sys.stderr)
            continue
        keep({"section": "counts", "kind": "system calls", "peer": peer.name, "workload": row.name, "per_op": calls})
    progress.end()
