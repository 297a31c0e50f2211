"""Runs the peers in turn, so that all of them see the same weather, and keeps every line they print.

A round runs every row once with each peer, back to back; the order of the peers moves on by one from round to round.
Before the first round each peer's number of operations is found by trial runs, which are thrown away.
"""
import json
import re
import shlex
import subprocess
import sys
import time

from peers import SERVERS, load_of

# A trial that took less than this says too little to scale from.
TRIAL_MS_MIN = 4.0
TRIALS_MOST = 6
GROWTH_MOST = 50
# The rounds of a row whose runs fall into two groups, at least.
BISTABLE_ROUNDS = 20


def command_of(peer, row, p, n, extra=()):
    if row.workload in SERVERS:
        return [*load_of(row.workload), *row.flags, *extra, "--", *peer.wrap, peer.program, row.workload, "-p", str(p)]
    numbers = ["-n", str(n)] if n else []
    return [*peer.wrap, peer.program, row.workload, "-p", str(p), *row.flags, *extra, *numbers]


def run(command, limit):
    """The program's last line as a dict, or {"failed": why}."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"no end within {limit} s"}
    except OSError as e:
        return {"failed": str(e)}
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [""])[0]
        said = re.sub(r"\S*/(?=\S)", "", said)  # of paths only the last part
        return {"failed": said or f"status {done.returncode}"}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"failed": f"no line of JSON from {shlex.join(command)}"}


class Progress:
    """One line that is written over on a terminal; else a line now and then."""

    def __init__(self, total, out=sys.stderr):
        self.total, self.out, self.done, self.began = total, out, 0, time.monotonic()
        self.terminal = out.isatty()
        self.said = self.began

    def step(self, text):
        now = time.monotonic()
        left = (now - self.began) / self.done * (self.total - self.done) if self.done else 0
        self.done += 1
        line = f"[{self.done}/{self.total}] {text}" + (f", about {left:.0f} s left" if self.done > 2 else "")
        if self.terminal:
            print(f"\r\033[K{line[:110]}", end="", file=self.out, flush=True)
        elif now - self.said > 10 or self.done == 1:
            self.said = now
            print(line, file=self.out, flush=True)

    def end(self):
        if self.terminal:
            print("\r\033[K", end="", file=self.out, flush=True)


class Run:
    """One thing to run with one peer: a row at a P, with flags besides. Rows that differ in the figure share one."""

    def __init__(self, peer, row, p, extra=()):
        self.peer, self.row, self.p, self.extra = peer, row, p, tuple(extra)
        # At least one operation for each fiber of a sweep.
        flags = dict(zip(self.extra, self.extra[1:]))
        self.n, self.failed = max(row.n, int(flags.get("-fibers", 0))) if row.n else 0, None
        self.trial = {}

    @property
    def key(self):
        return (self.peer.name, self.row.workload, self.row.flags, self.extra, self.p)

    def rounds(self, asked):
        return max(asked, BISTABLE_ROUNDS) if self.row.bistable else asked

    def once(self, limit):
        return run(command_of(self.peer, self.row, self.p, self.n, self.extra), limit)

    def settle(self, ms, limit):
        """Finds the number of operations that takes about `ms`. A run with work of fixed size is only tried."""
        for _ in range(TRIALS_MOST):
            result = self.trial = self.once(limit)
            self.failed = result.get("failed")
            if self.failed or not self.n:
                return
            took = max(result["ms"], 0.001)
            if took >= 0.7 * ms:
                break
            self.n = int(self.n * min(ms / max(took, TRIAL_MS_MIN / 4), GROWTH_MOST)) or 1
            if took >= TRIAL_MS_MIN:
                break


    def check(self, others):
        """Work of fixed size has one right answer; a peer with another one has done something else."""
        values = [it.trial["value"] for it in others if not it.n and "value" in it.trial]
        if not self.n and values and self.trial.get("value", values[0]) != values[0]:
            self.failed = f"its result is {self.trial['value']:g}, not {values[0]:g}"


def rounds_of(runs, rounds, ms, limit, slow, write, progress):
    """Settles every run, then runs all of them `rounds` times (a bistable row oftener); write(run, round, result) keeps a result. A run of fixed
    size that takes more than `slow` seconds is not repeated: its trial is its first round."""
    groups = {}
    for it in runs:
        progress.step(f"trying {it.row.name} {it.p}P {it.peer.name}")
        it.settle(ms, limit)
        groups.setdefault(it.key[1:], []).append(it)
    for group in groups.values():
        for it in group:
            it.check(group)
            if it.failed:
                write(it, 0, {"failed": it.failed})
            elif not it.n and it.trial["ms"] > slow * 1000:
                write(it, 1, it.trial)
        group[:] = [it for it in group if not it.failed and (it.n or it.trial["ms"] <= slow * 1000)]
    most = max((it.rounds(rounds) for it in runs), default=0)
    for number in range(1, most + 1):
        for group in groups.values():
            if group and number > group[0].rounds(rounds):
                continue
            turn = number % len(group) if group else 0
            for it in group[turn:] + group[:turn]:
                progress.step(f"round {number}/{it.rounds(rounds)} {it.row.name} {it.p}P {it.peer.name}")
                write(it, number, it.once(limit))
    progress.end()
