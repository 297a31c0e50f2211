#!/usr/bin/env python3
"""One lesson as a test: each of its programs prints what its expected output says, on one P and on two.

  lesson_test.py PROGRAM FOLDER [FLAG...]       PROGRAM is its section's, FOLDER the lesson's
  lesson_test.py --racy PROGRAM FOLDER          the same sources with real data races: each must be reported

The expected output of the program NAME is FOLDER/NAME.txt, or FOLDER/NAME.p1.txt and FOLDER/NAME.p2.txt where it
differs between one and two Ps. See expected.py, and promises.py for what FOLDER/README.md promises.
"""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from expected import expectation
from promises import broken, expectations, names_in, recorded_promises, run as recorded

LIMIT_S = 60
MOST_FIBERS = int(os.environ.get("MOST_FIBERS", "1000000"))  # that the build's sanitizer has room for


def id_of(folder):
    return folder.name.split("_")[0]


def variants(program, folder):
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
    for one in listed.splitlines():
        words = one.split()
        if words[0].lower() == id_of(folder):
            return words[2:]
    raise SystemExit(f"{program} has no lesson {id_of(folder)}")


def run(program, folder, variant, procs, flags=()):
    return subprocess.run([program, id_of(folder), f"--variant={variant}", f"--maxprocs={procs}", *flags],
                          capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL, check=False,
                          env=os.environ | {"NO_COLOR": "1"})


def expected_file(folder, variant, procs):
    own = folder / f"{variant}.p{procs}.txt"
    return own if own.exists() else folder / f"{variant}.txt"


def fact(program, folder, variant, procs, flags):
    def test(self):
        file = expected_file(folder, variant, procs)
        wanted = expectation(file.read_text(encoding="utf-8"))
        if wanted.fibers > MOST_FIBERS:
            self.skipTest(f"{wanted.fibers} fibers are too many for this build")
        done = run(program, folder, variant, procs, [*wanted.flags, *flags])
        done.stderr = "".join(one for one in done.stderr.splitlines(True) if not one.startswith("lesson: listens on "))
        if wrong := wanted.wrong_with(done.stdout, done.stderr, done.returncode):
            self.fail(f"{wrong}; expected ({file}):\n{file.read_text(encoding='utf-8')}"
                      f"---- stdout\n{done.stdout}---- stderr\n{done.stderr}")
        for clause in expectations((folder / "README.md").read_text(encoding="utf-8"))[procs]:
            if clause[0] == variant:
                self.assertIsNone(broken(clause, done.stdout, done.stderr), f"the page promises it; printed:\n{done.stdout}")
    return test


def promise(program, folder, sentence, procs, expression):
    """A sentence of the page about recordings."""
    def test(self):
        self.assertIn(" ".join(sentence.split()), " ".join((folder / "README.md").read_text(encoding="utf-8").split()))
        runs = {}
        for variant in variants(program, folder):
            name = variant.replace("-", "_")
            if name in names_in(expression):
                wanted = expectation(expected_file(folder, variant, procs).read_text(encoding="utf-8"))
                done = run(program, folder, variant, procs, [*wanted.flags, "--json"])
                self.assertEqual(done.returncode, 0, done.stderr)
                runs[name] = recorded(done.stdout)
        self.assertTrue(eval(expression, {}, runs),  # pylint: disable=eval-used
                        f"at {procs}: {expression}\n" + "\n".join(f"{n}: {vars(r)}" for n, r in runs.items())[:3000])
    return test


def page_is_checked(program, folder):
    """Each clause of the page names a program that there is."""
    def test(self):
        known = variants(program, folder)
        for clauses in expectations((folder / "README.md").read_text(encoding="utf-8")).values():
            self.assertLessEqual({name for name, _, _ in clauses}, set(known))
    return test


def race(program, folder, variant):
    def test(self):
        done = run(program, folder, variant, 2)
        self.assertRegex(done.stderr, "WARNING: ThreadSanitizer: data race")
        where = re.escape(folder.name)
        self.assertRegex(done.stderr, rf"{where}/\w+\.cc:\d+", "the report does not name the lesson's file")
    return test


class lesson(unittest.TestCase):
    maxDiff = None


def main(argv):
    racy = argv[0] == "--racy"
    program, folder, *flags = argv[1:] if racy else argv
    folder = Path(folder)
    for variant in variants(program, folder):
        if racy and variant.startswith("wrong"):
            setattr(lesson, f"test_{variant}_is_reported", race(program, folder, variant))
        for procs in () if racy else (1, 2):
            setattr(lesson, f"test_{variant}_on_{procs}", fact(program, folder, variant, procs, flags))
    if not racy:
        lesson.test_the_page_names_programs = page_is_checked(program, folder)
        for i, (sentence, procs, expression) in enumerate(recorded_promises(folder)):
            setattr(lesson, f"test_promise_{i}_on_{procs}", promise(program, folder, sentence, procs, expression))
    unittest.main(argv=[sys.argv[0]])


if __name__ == "__main__":
    main(sys.argv[1:])
