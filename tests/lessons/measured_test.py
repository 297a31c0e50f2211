#!/usr/bin/env python3
"""The programs of lessons/parallelism as shipped, measured by the kernel's CPU time.

  measured_test.py PROGRAM [RUNS]     PROGRAM is that of lessons/parallelism; RUNS of each, 3 if not given

On one P, on two, and on one CPU; on a quiet machine and beside a busy loop. No limit depends on a fast machine: CPU time
is compared with wall time, and the wall time of the halves with the CPU time of the whole.
"""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import unittest
from pathlib import Path

from promises import run

RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
CPUS = sorted(os.sched_getaffinity(0))
WITHOUT_LIMIT = "limit=0"  # the word of WEFT_DEBUG that switches the limit off
BLOCKS = ("p1", "p2", "p3", "p4", "p6", "exercise")  # two fibers that print without a yield
ALL = (*BLOCKS, "p5", "halves", "crowd")
# CPUs at work, by the median of the runs: where a virtual machine stands still for some milliseconds, each thread that is on
# a CPU then is charged for them, whoever it is: 1 run in 300 on such a machine, with up to 1.3.
ONE_P = 1.05
# A fiber that computes longer than a time slice takes turns with the others, in slices of the scheduler or the kernel.
# Two fibers that compute at the same instant print token by token: a token is 200 us of work. On a busy machine the
# kernel's slices are shorter: each change needs one thread whose CPU the kernel has taken.
BLOCK_US = 1000


def runs_of(lesson, procs, before=(), env=None):
    """The runs of all its programs, RUNS of each."""
    done = subprocess.run([*before, sys.argv[1], lesson, f"--maxprocs={procs}", f"--repeat={RUNS}", "--json"],
                          capture_output=True, text=True, timeout=600, check=True, env=os.environ | (env or {}))
    return [run(line) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def busy_loop():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as loop:
        try:
            yield
        finally:
            loop.kill()


def faults_on_one_p(runs):
    """What contradicts that one fiber computes at a time."""
    found, busy = [], {}
    for r in runs:
        if r.wall_us > 5000:
            busy.setdefault(f"{r.lesson} {r.program}", []).append(r.cpus_busy)
    found += [f"{name}: {all_of} CPUs at work" for name, all_of in busy.items() if statistics.median(all_of) > ONE_P]
    for r in runs:
        name = f"{r.lesson} {r.program}"
        if r.lesson in ("P1", "P2", "P3", "P4", "P6", "P7") or r.program == "no-yields":
            if r.output_changes > 2 + max(r.cpu_us / BLOCK_US, r.preempted):
                found.append(f"{name}: not in blocks, {r.output_changes} changes in {r.cpu_us} us of CPU time")
        if r.at_once > 1:
            found.append(f"{name}: {r.at_once} fibers at the same instant, by the recording")
        if "That is parallelism" in r.verdict:
            found.append(f"{name}: {r.verdict}")
    return found


class place(unittest.TestCase):
    """The facts on a machine; its subclasses say in which state it is."""
    before = ()

    def setUp(self):
        if self.busy:
            loop = busy_loop()
            loop.__enter__()  # pylint: disable=unnecessary-dunder-call
            self.addCleanup(loop.__exit__, None, None, None)

    def check_one_p(self):
        for lesson in ALL:
            with self.subTest(lesson):
                self.assertEqual(faults_on_one_p(runs_of(lesson, 1, self.before)), [])

    def check_halves(self):
        runs = runs_of("halves", 1, self.before)
        middle = {name: {key: statistics.median(getattr(r, key) for r in runs if r.program == name)
                         for key in ("wall_us", "cpu_us")} for name in ("whole", "halves")}
        self.assertGreater(middle["halves"]["wall_us"], 0.95 * middle["whole"]["cpu_us"], middle)
        self.assertLess(middle["halves"]["cpu_us"], 1.15 * middle["whole"]["cpu_us"], middle)

    def check_two_ps(self):
        for lesson in ALL:
            for r in runs_of(lesson, 2, self.before):
                with self.subTest(lesson, program=r.program):
                    self.assertLessEqual(r.at_once, 2)
                    self.assertLess(r.cpus_busy, 2 + 0.1)
                    self.assertEqual("That is parallelism" in r.verdict, r.at_once > 1 and r.cpus_busy > ONE_P, r.verdict)


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    one_cpu = ("taskset", "-c", str(CPUS[0])) if shutil.which("taskset") else None
    for busy in (False, True):
        for before in ((), one_cpu):
            if before is None:
                continue
            facts = {"busy": busy, "before": before, "test_two_ps": place.check_two_ps}
            if before or LIMITED:
                facts |= {"test_one_p": place.check_one_p, "test_halves": place.check_halves}
            name = f"{'busy' if busy else 'quiet'}_{'one_cpu' if before else 'all_cpus'}"
            suite.addTests(loader.loadTestsFromTestCase(type(name, (place,), facts)))
    suite.addTests(loader.loadTestsFromTestCase(quota))
    suite.addTests(loader.loadTestsFromTestCase(canary))
    return suite


@contextlib.contextmanager
def cpu_quota_of_one():
    """The words before a command that runs it in a cgroup with the CPU time of one CPU, or None."""
    period = 10_000  # us
    for parent, settings in (("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": f"{period}", "cpu.cfs_quota_us": f"{period}"}),
                             ("/sys/fs/cgroup", {"cpu.max": f"{period} {period}"})):
        group = Path(parent) / f"weft-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for name, value in settings.items():
                with open(group / name, "r+", encoding="ascii") as file:  # is never created
                    file.write(value)
            yield ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh")
            return
        except OSError:
            continue
        finally:
            group.rmdir()
    yield None


class quota(unittest.TestCase):
    @unittest.skipUnless(len(CPUS) > 1, "one CPU")
    def test_two_ps_with_the_time_of_one_cpu_are_not_parallel(self):
        with cpu_quota_of_one() as before:
            if before is None:
                self.skipTest("no cgroup can be made here")
            for r in runs_of("p3", 2, before) + runs_of("halves", 2, before):
                with self.subTest(r.lesson, program=r.program):
                    self.assertEqual("That is parallelism" in r.verdict, r.at_once > 1 and r.cpus_busy > ONE_P, r.verdict)
                    if r.at_once > 1:
                        self.assertIn("Two Ps with a quota of 1.00 CPUs: ", r.verdict)


LIMITED = bool(WITHOUT_LIMIT)


class canary(unittest.TestCase):
    @unittest.skipUnless(LIMITED and len(CPUS) > 1, "no limit to switch off, or one CPU")
    def test_without_the_limit_the_facts_do_not_hold(self):
        for _ in range(10):
            if faults_on_one_p(runs_of("p4", 1, env={"WEFT_DEBUG": WITHOUT_LIMIT})):
                return
        self.fail("one P is one without the limit too: the tests cannot fail")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
