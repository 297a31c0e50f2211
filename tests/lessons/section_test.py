#!/usr/bin/env python3
"""The command line that all sections share, shown by one.

  section_test.py GOROUTINES SYNC     the programs of two sections
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


def run(*args):
    return subprocess.run([sys.argv[1], *args], capture_output=True, text=True, timeout=60, check=False)


class command_line(unittest.TestCase):
    def test_id_and_name_both_work_in_any_case(self):
        wanted = run("L5", "--right").stdout
        self.assertIn("The channel was closed", wanted)
        for name in ("l5", "leak"):
            self.assertEqual(run(name, "--variant=right").stdout, wanted)

    def test_without_a_variant_all_run_under_headings(self):
        told = run("leak").stdout
        self.assertLess(told.index("-- wrong: "), told.index("-- right: "))

    def test_a_bad_command_line_is_a_line_and_status_2(self):
        for args in ([], ["L99"], ["leak", "--variant=nonsense"], ["leak", "--maxprocs=0"], ["leak", "--maxprocs=1025"],
                     ["leak", "--scale=0"], ["leak", "--nonsense"], ["leak", "--wrong", "--right"], ["leak", "--width=5"],
                     ["leak", "--html=x.html"], ["leak", "more"], ["leak", "--scale=nan"], ["leak", "--scale=inf"],
                     ["leak", "--scale=0.01"], ["leak", "--maxprocs"], ["leak", "--maxprocs=1x"], ["leak", "--html"]):
            with self.subTest(args):
                answer = run(*args)
                self.assertEqual((answer.returncode, answer.stdout), (2, ""))
                self.assertEqual(len(answer.stderr.splitlines()), 1, answer.stderr)

    def test_explore_finds_a_lost_update_and_prints_no_line_of_the_program(self):
        answer = subprocess.run([sys.argv[2], "S2", "--variant=wrong", "--explore=100"], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(answer.returncode, 3)
        self.assertIn("no update is lost", answer.stdout)
        self.assertIn("replay: w1-", answer.stdout)
        self.assertNotIn("Final Counter", answer.stdout)

    def test_explore_of_a_right_program_passes(self):
        answer = run("leak", "--right", "--explore=20")
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))
        self.assertIn("L5 right: passed after 20 schedules", answer.stdout)

    def test_an_error_is_in_plain_words(self):
        for args, words in ((["--maxprocs"], "--maxprocs needs a value: --maxprocs=N"),
                            (["--maxprocs=two"], "--maxprocs: takes a number from 1 to 1024, not 'two'"),
                            (["--nonsense"], "unknown argument: --nonsense")):
            self.assertEqual(run("leak", *args).stderr, f"lesson: {words}; see --help\n")

    def test_help_names_the_programs_of_the_lesson(self):
        for args in (["leak", "--help"], ["L5", "--help"], ["L5", "--maxprocs=1", "--help"]):
            self.assertIn("no fiber sends", run(*args).stdout)

    def test_a_deadlock_still_writes_its_page(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            answer = subprocess.run([sys.argv[2], "S15", "--wrong", "--maxprocs=2", f"--html={page}"], capture_output=True,
                                    text=True, timeout=60, check=False)
            self.assertEqual(answer.returncode, 2)
            self.assertIn("fatal error: all fibers are asleep - deadlock!", answer.stderr)
            self.assertIn("two transfers, in opposite directions", page.read_text(encoding="utf-8"))

    def test_help_and_list_succeed(self):
        self.assertIn("--maxprocs", run("--help").stdout)
        self.assertIn("L5 leak wrong right\n", run("--list").stdout)

    def test_a_picture_has_a_lane_per_p_and_a_verdict(self):
        told = run("leak", "--right", "--maxprocs=2", "--picture", "--width=80").stdout
        for words in ("  P0  ", "  P1  ", "  => "):
            self.assertIn(words, told)
        self.assertLessEqual(max(map(len, told.splitlines())), 80)

    def test_a_page_that_cannot_be_written_is_said(self):
        answer = run("leak", "--right", "--html=/nonexistent/x.html")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("cannot write", answer.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
