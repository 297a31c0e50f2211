#!/usr/bin/env python3
"""docs/cookbook.md and lessons/cookbook: neither has a program that the other lacks, and each program is short and plain."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {at.stem: at.read_text(encoding="utf-8") for at in sorted((ROOT / "lessons/cookbook").glob("*.cc"))}
PAGE = (ROOT / "docs/cookbook.md").read_text(encoding="utf-8")
SECTIONS = {text.split("\n", 1)[0]: text for text in PAGE.split("\n## ")[1:]}


class cookbook(unittest.TestCase):
    def test_each_program_has_a_row_a_section_and_a_test(self):
        rows = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", PAGE, re.M)
        self.assertEqual(sorted(name for name, _ in rows), sorted(PROGRAMS))
        self.assertTrue(all(name == anchor for name, anchor in rows))
        tests = "".join((ROOT / f"tests/lessons/cookbook_{kind}_test.py").read_text(encoding="utf-8")
                        for kind in ("servers", "commands"))
        for name in PROGRAMS:
            with self.subTest(name):
                section = SECTIONS[name]
                self.assertIn(f"[{name}.cc](../lessons/cookbook/{name}.cc)", section)
                self.assertIn(f"\n    {name} ", section)
                for part in ("Uses", "How", "Watch out"):
                    self.assertIn(f"- **{part}** ", section)
                self.assertIn(f"\ndef {name}(path):\n", tests)

    def test_a_program_uses_the_names_that_the_page_says(self):
        for name, code in PROGRAMS.items():
            uses = re.search(r"- \*\*Uses\*\* (.*?)\n- ", SECTIONS[name], re.S)[1]
            for used in re.findall(r"`([\w:]+)`", uses):
                with self.subTest(f"{name}: {used}"):
                    self.assertRegex(code, rf"\b{used.split('::')[-1]}\b")

    def test_a_program_has_fewer_than_100_lines_and_uses_the_public_api_alone(self):
        for name, code in PROGRAMS.items():
            with self.subTest(name):
                self.assertLess(len(code.splitlines()), 100)
                self.assertNotRegex(code, r'#include "|detail::|impl::')
                self.assertIn("#include <weft/weft.h>", code)


if __name__ == "__main__":
    unittest.main()
