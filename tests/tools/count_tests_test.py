#!/usr/bin/env python3
"""What tools/count_tests.py makes of the summaries that test programs print."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import count_tests  # noqa: E402


def counted(stdout, result="OK", stderr=""):
    return str(count_tests.count({"result": result, "stdout": stdout, "stderr": stderr}))


class counting(unittest.TestCase):
    def test_catch_when_all_pass(self):
        self.assertEqual(counted("=====\nAll tests passed (81404 assertions in 52 test cases)\n\n"), "52 passed, 0 failed")
        self.assertEqual(counted("All tests passed (1 assertion in 1 test case)\n"), "1 passed, 0 failed")

    def test_catch_when_some_fail(self):
        text = "test cases:    149 |    148 passed | 1 failed\nassertions: 206151 | 206149 passed | 2 failed\n"
        self.assertEqual(counted(text, "FAIL"), "148 passed, 1 failed")

    def test_catch_with_skipped_and_expected_failures(self):
        text = "test cases: 10 | 6 passed | 2 skipped | 2 failed as expected\nassertions: 9 | 9 passed\n"
        self.assertEqual(counted(text), "8 passed, 0 failed, 2 skipped")

    def test_catch_without_test_cases(self):
        self.assertEqual(counted("No tests ran\n"), "0 passed, 0 failed")

    def test_unittest(self):
        self.assertEqual(counted("", stderr="....\nRan 32 tests in 0.086s\n\nOK\n"), "32 passed, 0 failed")
        self.assertEqual(counted("", stderr="Ran 5 tests in 0.1s\n\nOK (skipped=2)\n"), "3 passed, 0 failed, 2 skipped")
        self.assertEqual(counted("", "FAIL", "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"), "2 passed, 3 failed")

    def test_a_program_that_says_nothing_is_one(self):
        self.assertEqual(counted(""), "1 passed, 0 failed")
        self.assertEqual(counted("", "FAIL"), "0 passed, 1 failed")
        self.assertEqual(counted("", "SKIP"), "0 passed, 0 failed, 1 skipped")

    def test_a_crash_after_a_good_summary_is_a_failure(self):
        self.assertEqual(counted("All tests passed (9 assertions in 3 test cases)\n", "FAIL"), "3 passed, 1 failed")

    def test_running_out_of_time_is_a_failure(self):
        self.assertEqual(counted("some output", "TIMEOUT"), "0 passed, 1 failed")


class telling(unittest.TestCase):
    def test_the_failed_assertion_is_shown_and_not_the_noise_after_it(self):
        noise = "".join(f"weft: noise {n}\n" for n in range(500))
        told = count_tests.what_failed({"stdout": "begin\na_test.cc:5: FAILED:\n  CHECK( a == b )\nwith expansion:\n  1 == 2\n",
                                        "stderr": noise})
        self.assertIn("a_test.cc:5: FAILED:", told)
        self.assertIn("  1 == 2", told)
        self.assertLess(len(told), 40)

    def test_a_sanitizer_report_is_shown(self):
        told = count_tests.what_failed({"stdout": "x\n" * 200, "stderr": "==7==ERROR: LeakSanitizer: detected memory leaks\n"})
        self.assertIn("==7==ERROR: LeakSanitizer: detected memory leaks", told)

    def test_a_program_that_tells_nothing_shows_its_end(self):
        self.assertEqual(count_tests.what_failed({"stdout": "".join(f"{n}\n" for n in range(100))})[-1], "99")

    def test_many_failures_are_cut(self):
        told = count_tests.what_failed({"stdout": "a_test.cc:5: FAILED:\n" * 1000})
        self.assertEqual(len(told), count_tests.MOST)


if __name__ == "__main__":
    unittest.main()
