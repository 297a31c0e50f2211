#!/usr/bin/env python3
"""./tools/dev compare: what it makes of wrong calls, of runs that fail, and of the lines that runs leave."""
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

COMPARE = Path(__file__).resolve().parents[2] / "tools" / "bench" / "compare"
sys.path.insert(0, str(COMPARE))
import document  # noqa: E402
import figures  # noqa: E402
import machine  # noqa: E402
import measure  # noqa: E402
import peers  # noqa: E402
import report  # noqa: E402
from rows import Row  # noqa: E402


def called(*flags):
    return subprocess.run([sys.executable, "-B", COMPARE, *flags], capture_output=True, text=True, timeout=60, check=False)


def line(peer, number, ns, workload="spsc", p=1):
    return {"section": "rows", "peer": peer, "workload": workload, "flags": [], "p": p, "round": number, "n": 1,
            "result": {"ns_per_op": ns, "ms": 1.0}}


class command_line(unittest.TestCase):
    def test_a_wrong_call_ends_with_status_2_and_one_line(self):
        for flags in (["--bogus"], ["-p", "0"], ["-p", "1,x"], ["--rounds", "0"], ["--peers", "go,cobol"], ["nosuch"],
                      ["--rounds"], ["--ms", "-3"], ["--rou", "3"]):
            done = called(*flags)
            self.assertEqual(done.returncode, 2, flags)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_it_lists_what_there_is(self):
        done = called("--list")
        self.assertEqual(done.returncode, 0)
        self.assertIn("pingpong", done.stdout)
        self.assertIn("tokio", done.stdout)

    def test_reports_are_written_again_from_the_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(called("--render", "--out", folder).returncode, 2)
            raw = Path(folder) / "results.jsonl"
            raw.write_text("".join(json.dumps(line(peer, r, ns)) + "\n" for r in (1, 2, 3)
                                   for peer, ns in (("weft", 10.0 + r), ("go", 40.0 + r))), encoding="utf-8")
            done = called("--render", "--out", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("| spsc | 1 | 12.0 ns | 42.0 |", (Path(folder) / "report.md").read_text(encoding="utf-8"))
            page = (Path(folder) / "report.html").read_text(encoding="utf-8")
            self.assertIn("<svg", page)
            self.assertNotIn("http", page.replace("http-equiv", ""))  # nothing beside it is needed


class standing(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds_ratios(self):
        # Round 3 was slow for both: the ratio of medians would be 15/40.
        lines = [line("weft", r, ns) for r, ns in ((1, 10), (2, 15), (3, 80))]
        lines += [line("go", r, ns) for r, ns in ((1, 40), (2, 30), (3, 160))]
        found = figures.standings(figures.Results(lines), Row("spsc"), 1)
        self.assertEqual([s.peer for s in found], ["weft", "go"])
        self.assertEqual((found[0].median, found[0].least, found[0].most), (15, 10, 80))
        self.assertEqual(found[0].to_go, 0.5)

    def test_a_ratio_to_another_is_not_a_ratio_of_ratios(self):
        # By way of threads, the best, it would be 4 / 1.5.
        lines = [line(peer, r, ns) for peer, times in (("weft", (10, 40, 80)), ("go", (10, 15, 90)), ("threads", (10, 10, 10)))
                 for r, ns in enumerate(times)]
        found = figures.standings(figures.Results(lines), Row("spsc"), 1)
        self.assertEqual(report.ratio_to(found, "go"), 1)

    def test_a_loss_without_a_reason_says_so(self):
        lines = [line("weft", 1, 50, "nosuch"), line("threads", 1, 10, "nosuch")]
        self.assertEqual(report.reason_for(Row("nosuch"), 1, "threads"), report.UNEXPLAINED)
        self.assertEqual(report.verdict(report.ratio_to(figures.standings(figures.Results(lines), Row("nosuch"), 1), "threads")),
                         "trails")

    def test_reasons_name_workloads_and_peers_that_exist(self):
        known = {r.workload for r in report.ROWS + report.SERVED + report.REST}
        for reason in report.reasons():
            self.assertLessEqual(set(reason["workloads"]), known)
            self.assertLessEqual(set(reason["peers"]), set(peers.NAMES))

    def test_two_speeds_show_as_two_speeds(self):
        runs = [20.0] * 12 + [70.0] * 8
        lines = [line("weft", r, ns, "mpmc") for r, ns in enumerate(runs)] + [line("go", r, 35.0, "mpmc") for r in range(20)]
        self.assertIn(["mpmc", "1", "weft", "20", "20.0", "20.0", "20.0", "20.0", "70.0", "70.0", "70.0", "2.00"],
                      report.spreads(lines).rows)

    def test_what_is_wanted_may_be_a_ratio_to_another_than_go(self):
        forked = [dict(line(peer, 1, ns, "forkfib"), flags=["-n", "32"]) for peer, ns in (("weft", 9), ("go", 900), ("tbb", 60))]
        self.assertIn("0.10 of oneTBB missed", report.standing_table(forked, "rows", report.ROWS).rows[0])

    def test_a_report_says_that_the_machine_was_busy(self):
        def head_of(others):
            about = {"machine": {}, "versions": {}, "missing": {}, "command": "", "other work": {"others": others, "stolen": 0.0}}
            return document.as_markdown(report.head([about]))

        self.assertIn("used 0.85 CPUs", head_of(0.85))
        self.assertIn("The machine was quiet", head_of(0.02))

    def test_a_pipe_in_a_cell_does_not_break_the_table(self):
        self.assertIn("a \\| b", document.as_markdown([document.Table(["x"], [["a | b"]])]))


class running(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def peer(self, script):
        program = Path(self.folder.name) / "program"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        it = peers.Peer("weft", "weft", lambda: program)
        it.program = str(program)
        return it

    def test_what_fails_says_why(self):
        self.assertEqual(measure.run([self.peer("echo no stack >&2; exit 3").program], 5), {"failed": "no stack"})
        self.assertEqual(measure.run([self.peer("echo hello").program], 5)["failed"][:15], "no line of JSON")
        self.assertIn("no end within 1 s", measure.run([self.peer("exec sleep 9").program], 1)["failed"])

    def test_the_number_of_operations_is_scaled_to_the_time(self):
        # A microsecond per operation.
        it = measure.Run(self.peer('eval "n=\\${$#}"; echo "{\\"ms\\": $((n / 1000))}"'), Row("spsc", (), 1000), 1)
        it.settle(150, 5)
        self.assertIsNone(it.failed)
        self.assertGreater(it.n, 50_000)
        self.assertLess(it.n, 400_000)

    def test_a_row_with_two_speeds_is_run_oftener(self):
        it = measure.Run(self.peer('echo "{\\"ms\\": 200}"'), Row("spsc", (), 1000, bistable=True), 1)
        plain = measure.Run(self.peer('echo "{\\"ms\\": 200}"'), Row("yield", (), 1000), 1)
        written = []
        measure.rounds_of([it, plain], 2, 150, 5, 3, lambda run, number, _: written.append((run, number)),
                          measure.Progress(1, io.StringIO()))
        self.assertEqual(sum(run is it for run, _ in written), measure.BISTABLE_ROUNDS)
        self.assertEqual(sum(run is plain for run, _ in written), 2)

    def test_the_time_of_other_processes_is_told_from_ours(self):
        # 2 s of CPU in a second of wall time, of which children that were waited for have used 1.25; 0.1 s were stolen.
        stat = ("cpu  1000 0 500 9000 0 0 0 10 0 0\n", "cpu  1150 0 550 9000 0 0 0 20 0 0\n")
        used = (os.times_result((1.0, 0.5, 2.0, 1.0, 100.0)), os.times_result((1.0, 0.5, 3.0, 1.25, 101.0)))
        with mock.patch("machine.read", side_effect=stat), mock.patch("os.times", side_effect=used), \
                mock.patch("time.monotonic", side_effect=(5.0, 6.0)), mock.patch("os.sysconf", return_value=100):
            self.assertEqual(machine.OtherWork().report(), {"others": 0.75, "stolen": 0.1})

    def test_a_server_is_started_by_the_load_generator(self):
        it = self.peer("exit 0")
        it.wrap = ("/usr/bin/env", "WEFT_POLLER=epoll")
        command = measure.command_of(it, Row("http", ("-conns", "9")), 1, 0)
        self.assertEqual(command[1:], ["-http", "-conns", "9", "--", *it.wrap, it.program, "http", "-p", "1"])

    def test_a_peer_without_workloads_is_missing(self):
        with self.assertRaises(peers.Missing):
            self.peer("exit 0").prepare()


# A run of compare whose measuring keeps one line and then goes on without an end.
ENDLESS = """
import sys, time
sys.path.insert(0, {folder!r})
import importlib.util
spec = importlib.util.spec_from_file_location("compare_main", {folder!r} + "/__main__.py")
main = importlib.util.module_from_spec(spec)
spec.loader.exec_module(main)

def measure_all(args, ready, lines):
    lines.append({line!r})
    print("measuring", flush=True)
    time.sleep(600)

main.measure_all = measure_all
main.prepared = lambda args: ([], {{}})
sys.argv = ["compare", "--out", {out!r}]
sys.exit(main.main())
"""


class ended_early(unittest.TestCase):
    def test_what_was_measured_is_written_after_each_signal_that_ends_a_run(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number), tempfile.TemporaryDirectory() as out:
                text = ENDLESS.format(folder=str(COMPARE), line=line("weft", 1, 7.5), out=out)
                # A run in the background of a script inherits an ignored SIGINT.
                with subprocess.Popen([sys.executable, "-B", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as run:
                    self.assertEqual(run.stdout.readline(), "measuring\n")
                    run.send_signal(number)
                    _, errors = run.communicate(timeout=60)
                self.assertIn("interrupted", errors)
                kept = [json.loads(text) for text in (Path(out) / "results.jsonl").read_text().splitlines()]
                self.assertEqual([k["result"]["ns_per_op"] for k in kept if "result" in k], [7.5])
                self.assertTrue((Path(out) / "report.md").exists())
                self.assertEqual(run.returncode, 128 + number)


if __name__ == "__main__":
    unittest.main()
