#!/usr/bin/env python3
"""What an operation costs where no clock is needed: allocations, and instructions within generous bounds.

  bench_counts_test.py WEFT_BENCH
"""
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "bench" / "compare"))
import counts  # noqa: E402
import peers  # noqa: E402
from rows import Row  # noqa: E402

WEFT = peers.Peer("weft", "weft", None)

# Far above what an operation takes: these catch a lock or a loop that slipped in, not a few instructions.
INSTRUCTIONS_MOST = {"yield": 600, "spawnbatch": 1_200, "pingpong": 2_500, "spsc": 700, "select2": 3_000, "mutex": 60}


def row_of(workload):
    return Row(workload, (), 10_000)


class counted(unittest.TestCase):
    def test_what_waits_and_wakes_allocates_nothing(self):
        try:
            counts.counting_library()
        except peers.Missing as e:
            self.skipTest(str(e))
        for workload in ("pingpong", "spsc", "mpmc", "select2", "selectdefault", "yield", "spawnbatch", "mutex", "waitgroup"):
            with self.subTest(workload):
                # A thread more that sysmon started, or a cache that grew, is a handful in ten thousand.
                self.assertLess(counts.per_operation(counts.allocations, WEFT, row_of(workload), 60), 0.01)

    def test_allocations_are_seen_where_there_are_some(self):
        try:
            counts.counting_library()
        except peers.Missing as e:
            self.skipTest(str(e))
        self.assertGreaterEqual(counts.per_operation(counts.allocations, WEFT, Row("canceltree", (), 100), 60), 1)

    def test_an_operation_takes_no_more_instructions_than_its_bound(self):
        if not shutil.which("valgrind"):
            self.skipTest("no valgrind")
        for workload, most in INSTRUCTIONS_MOST.items():
            with self.subTest(workload):
                n = counts.per_operation(counts.instructions, WEFT, row_of(workload), 120)
                self.assertLess(n, most)
                self.assertGreater(n, 1)


if __name__ == "__main__":
    WEFT.program = sys.argv.pop(1)
    unittest.main()
