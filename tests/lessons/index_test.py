#!/usr/bin/env python3
"""The index of the lessons and their folders: neither has anything that the other lacks.

  index_test.py DEV     DEV is tools/dev
"""
import re
import subprocess
import sys
import unittest
from pathlib import Path

from promises import expectations

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "lessons"
ROW = re.compile(r"^\| \[([A-Z]\d+[a-z]?)[^\]]*\]\(([^)]+)\) \| ([^|]+) \| [^|]+ \|$", re.M)


def folders():
    return {at.parent for at in LESSONS.glob("*/*/README.md")}


def dev(*args):
    return subprocess.run([sys.argv[1], "lesson", *args], capture_output=True, text=True, timeout=60, check=False)


class index(unittest.TestCase):
    rows = ROW.findall((LESSONS / "README.md").read_text(encoding="utf-8"))

    def test_every_folder_is_in_the_index_and_every_row_is_a_folder(self):
        listed = {(LESSONS / link).parent for _, link, _ in self.rows} - {LESSONS / "parallelism"}
        self.assertEqual(listed, folders())

    def test_no_name_and_no_id_stands_for_two(self):
        for column in (0, 2):
            all_of_them = [row[column] for row in self.rows]
            self.assertEqual(sorted(set(all_of_them)), sorted(all_of_them))

    def test_a_folder_is_called_by_its_id_and_name(self):
        for lesson_id, link, name in self.rows:
            folder = (LESSONS / link).parent
            if list(folder.glob("*.cc")) and folder.name != "parallelism":
                self.assertEqual(folder.name, f"{lesson_id.lower()}_{name}")
                self.assertTrue((folder / f"{name}.cc").exists(), folder)

    def test_a_lesson_says_what_to_expect_on_one_p_and_on_two(self):
        for folder in folders():
            if list(folder.glob("*.cc")):
                with self.subTest(folder.name):
                    expectations((folder / "README.md").read_text(encoding="utf-8"))
        for procs in (1, 2):
            self.assertIn(f"- At `--maxprocs={procs}`: ", (LESSONS / "parallelism/README.md").read_text(encoding="utf-8"))

    def test_each_lesson_is_in_the_references_or_named_as_missing_there(self):
        listed = (LESSONS / "REFERENCES.md").read_text(encoding="utf-8")
        ids = {row[0] for row in self.rows}
        for one in re.findall(r"\b([A-Z]\d+[a-z]?)\b", listed):
            self.assertIn(one, ids | {"L3", "L7", "L13", "L15"})

    def test_a_lesson_says_what_to_look_for_and_asks_a_question(self):
        for folder in folders():
            text = (folder / "README.md").read_text(encoding="utf-8")
            self.assertTrue(text.startswith(f"# {folder.name.split('_')[0].capitalize()}"), folder)
            self.assertIn("**Ask yourself**", text, folder)
            if list(folder.glob("*.cc")):
                self.assertIn("**Look for**", text, folder)
                self.assertIn("./tools/dev lesson", text, folder)

    def test_a_program_is_short_enough_to_be_read(self):
        for source in LESSONS.glob("*/*_*/*.cc"):
            self.assertLessEqual(len(source.read_text(encoding="utf-8").splitlines()), 120, source)


class command(unittest.TestCase):
    def test_it_lists_sections_and_lessons(self):
        listed = dev()
        self.assertEqual(listed.returncode, 0)
        for words in ("Goroutines", "L5 ", "leak", "R13"):
            self.assertIn(words, listed.stdout)
        self.assertGreater(len(listed.stdout.splitlines()), 70)

    def test_ids_and_names_stand_in_columns(self):
        lines = dev().stdout.splitlines()
        at = {line.find(name) for line in lines for name in ("leak  ", "fatal  ", "halves  ", "crowd  ", "exercise  ")
              if f"  {name}" in line}
        self.assertEqual(len(at), 1, at)

    def test_a_page_without_a_program_takes_no_flags(self):
        for flag in ("--nonsense", "--maxprocs=0"):
            answer = dev("C13", flag)
            self.assertEqual((answer.returncode, answer.stdout, len(answer.stderr.splitlines())), (2, "", 1), answer.stderr)
            self.assertIn(flag, answer.stderr)

    def test_an_id_that_is_none_is_a_clear_line_and_status_2(self):
        for wrong in ("L99", "nonsense", "../chan", "l", "_", "support"):
            with self.subTest(wrong):
                answer = dev(wrong)
                self.assertEqual((answer.returncode, answer.stdout), (2, ""))
                self.assertIn(f"no lesson '{wrong}'", answer.stderr)
                self.assertEqual(len(answer.stderr.splitlines()), 1)

    def test_a_page_without_a_program_is_shown(self):
        self.assertIn("rules for buffers", dev("C13").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
