#!/usr/bin/env python3
"""An installed weft, in a prefix that was moved, is used as users do: by pkg-config, by CMake, fully static.

  installed_test.py BUILD
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = HERE / "program.cc"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
build = None


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=600, **more)


class installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        root = Path(cls.temp.name)
        done = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root / "staged")
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        cls.first = next((root / "staged").rglob("include/weft/weft.h")).parents[2]
        cls.prefix = root / "elsewhere" / "with space"
        cls.prefix.parent.mkdir()
        shutil.move(cls.first, cls.prefix)
        cls.pc = next(cls.prefix.rglob("weft.pc"))
        if "pcfiledir" not in cls.pc.read_text():
            raise unittest.SkipTest("this folder was configured with pkgconfig.relocatable=false")
        cls.cxx = os.environ.get("CXX", "g++")
        cls.out = root / "out"
        cls.out.mkdir()

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def pkg_config(self, *flags, **env):
        done = run("pkg-config", *flags, "weft", env={**os.environ, "PKG_CONFIG_PATH": str(self.pc.parent), **env})
        self.assertEqual(done.returncode, 0, done.stderr)
        # A shell reads the flags in a Makefile, so a space is behind a backslash.
        return [flag.replace("\\ ", " ") for flag in re.findall(r"(?:\\.|[^\s\\])+", done.stdout)]

    def compile(self, name, *flags, source=PROGRAM):
        return run(self.cxx, "-std=c++20", *WARNINGS, source, "-o", self.out / name, *self.pkg_config("--cflags"), *flags)

    def works(self, name):
        done = run(self.out / name)
        self.assertEqual((done.returncode, done.stdout), (0, "338350\n"), done.stderr)

    def refusal(self, *flags):
        done = run(self.cxx, *flags, "-fsyntax-only", "-fmax-errors=3", *self.pkg_config("--cflags"), "-x", "c++", "-",
                   input="#include <weft/chan.h>\n")
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_what_is_installed(self):
        files = {str(p.relative_to(self.prefix)) for p in self.prefix.rglob("*") if p.is_file()}
        for name in ["share/weft/LICENSE", "share/weft/README.md", "share/weft/weft.py", "include/weft/weft.h"]:
            self.assertIn(name, files)
        strange = [f for f in files if not re.match(r"(include/weft/|share/weft/|lib/)", f)]
        self.assertEqual(strange, [], "only the library is installed")

    def test_no_debug_info(self):
        for lib in [*self.prefix.rglob("libweft.a"), *self.prefix.rglob("libweft.so")]:
            self.assertNotIn(".debug_info", run("readelf", "-S", lib).stdout)

    def test_buffers_are_checked(self):
        for lib in [*self.prefix.rglob("libweft.a"), *self.prefix.rglob("libweft.so")]:
            symbols = run("nm", *(["-D"] if lib.suffix == ".so" else []), lib).stdout
            for check in ["__stack_chk_fail", "__snprintf_chk"]:
                self.assertIn(f" U {check}", symbols)

    def test_pkg_config_without_warnings(self):
        done = self.compile("plain", *self.pkg_config("--libs"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.works("plain")

    def test_pkg_config_names_no_folder_of_the_machine(self):
        flags = self.pkg_config("--cflags", "--libs", "--static")
        paths = [f for f in flags if "/" in f and str(self.prefix) not in str(Path(f.removeprefix("-I").removeprefix("-L")).resolve())]
        self.assertEqual(paths, [])

    def test_fully_static(self):
        if " fmt" in self.pc.read_text().split("Requires", 1)[-1].split("Libs")[0].replace(":", ""):
            self.skipTest("this build links libfmt; -Dfmt_inside=enabled, and each build of only the library, does not")
        done = self.compile("static", "-static", *self.pkg_config("--libs", "--static"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.works("static")
        self.assertNotIn("NEEDED", run("readelf", "-d", self.out / "static").stdout)

    def test_without_rtti(self):
        done = self.compile("no_rtti", "-fno-rtti", *self.pkg_config("--libs"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.works("no_rtti")

    def test_what_is_refused_in_words(self):
        self.assertIn("weft needs C++20", self.refusal("-std=c++17"))
        self.assertIn("weft needs exceptions", self.refusal("-std=c++20", "-fno-exceptions"))

    def test_macros_of_the_headers_are_weft_s(self):
        done = run(self.cxx, "-std=c++20", "-E", "-dD", *self.pkg_config("--cflags"), "-x", "c++", "-",
                   input="#include <weft/weft.h>\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        ours, macros = False, []
        for line in done.stdout.splitlines():
            if place := re.match(r'# \d+ "([^"]*)"', line):
                ours = "/include/weft/" in place[1]
            elif ours and (macro := re.match(r"#define (\w+)", line)):
                macros.append(macro[1])
        self.assertEqual([m for m in macros if not m.startswith("WEFT_")], [])

    @unittest.skipUnless(shutil.which("cmake"), "cmake is missing")
    def test_cmake_package(self):
        where = self.out / "cmake"
        done = run("cmake", "-S", HERE / "cmake", "-B", where, f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   f"-DCMAKE_CXX_COMPILER={self.cxx}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run("cmake", "--build", where)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.works("cmake/program")

    @unittest.skipUnless(shutil.which("cmake"), "cmake is missing")
    def test_cmake_package_of_another_major_version(self):
        folder = self.out / "two"
        folder.mkdir()
        text = (HERE / "cmake/CMakeLists.txt").read_text().replace("weft 1 CONFIG", "weft 2 CONFIG")
        (folder / "CMakeLists.txt").write_text(text.replace("../program.cc", str(PROGRAM)))
        done = run("cmake", "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('compatible with requested version "2"', " ".join(done.stderr.split()))


class cmake_lists(unittest.TestCase):
    def test_cmake_and_meson_build_the_same_files(self):
        by_meson, by_cmake = set(), set()
        for room in ["runtime", "sched", "chan", "net"]:
            by_cmake |= set((ROOT / room).rglob("*.cc"))
            for lists in (ROOT / room).rglob("meson.build"):
                by_meson |= {lists.parent / name for name in re.findall(r"'([\w/]+\.cc)'", lists.read_text())}
        self.assertEqual(by_meson, by_cmake)


if __name__ == "__main__":
    build = sys.argv.pop(1)
    unittest.main()
