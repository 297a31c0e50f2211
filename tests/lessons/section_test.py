#!/usr/bin/env python3
"""The command line that all sections share, shown by one.

  section_test.py PROGRAM     the program of lessons/goroutines
"""
import subprocess
import sys
import unittest


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
                     ["leak", "--html=x.html"], ["leak", "more"]):
            with self.subTest(args):
                answer = run(*args)
                self.assertEqual((answer.returncode, answer.stdout), (2, ""))
                self.assertEqual(len(answer.stderr.splitlines()), 1, answer.stderr)

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
