#!/usr/bin/env python3
"""A checkout of weft inside another project: CMake's add_subdirectory and FetchContent, and a Meson subproject.

  checkout_test.py     builds the library twice: `./tools/dev check consumers`
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=3000, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def copy_of_the_checkout(to):
    """The files that git knows, so that a build folder in the checkout does not come along."""
    for name in run("git", "-C", ROOT, "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


class checkout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.root = Path(cls.temp.name)
        cls.weft = cls.root / "project/subprojects/weft"
        copy_of_the_checkout(cls.weft)

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def cmake(self, way, *flags):
        launcher = [f"-DCMAKE_CXX_COMPILER_LAUNCHER={shutil.which('ccache')}"] if shutil.which("ccache") else []
        run("cmake", "-S", HERE / "subdirectory", "-B", self.root / way, f"-DWAY={way}", f"-DCHECKOUT={self.weft}",
            *launcher, *flags)

    @unittest.skipUnless(shutil.which("cmake"), "cmake is missing")
    def test_add_subdirectory(self):
        self.cmake("subdirectory", "-DBUILD_SHARED_LIBS=ON")
        run("cmake", "--build", self.root / "subdirectory", "--parallel", str(os.cpu_count()))
        self.assertEqual(run(self.root / "subdirectory/program"), "338350\n")
        lib = next((self.root / "subdirectory").rglob("libweft.so.1"))
        self.assertIn("libweft.so.1]", run("readelf", "-d", lib))
        exported = run("nm", "-DC", "--defined-only", lib)
        self.assertNotIn(" fmt::", exported)
        # The package that this build installs is found by another project.
        prefix = self.root / "prefix"
        run("cmake", "--install", self.root / "subdirectory", "--prefix", prefix)
        run("cmake", "-S", HERE / "cmake", "-B", self.root / "found", f"-DCMAKE_PREFIX_PATH={prefix}")
        run("cmake", "--build", self.root / "found")
        self.assertEqual(run(self.root / "found/program"), "338350\n")

    @unittest.skipUnless(shutil.which("cmake"), "cmake is missing")
    def test_fetch_content(self):
        self.cmake("fetch")
        self.assertIn("weft", run("cmake", "--build", self.root / "fetch", "--target", "help"))

    def test_meson_subproject(self):
        project = self.root / "project"
        for file in [HERE / "subproject/meson.build", HERE / "program.cc"]:
            shutil.copy2(file, project / file.name)
        out = self.root / "meson"
        run("meson", "setup", out, project, "-Doptimization=0", "-Ddebug=false")
        targets = run("meson", "introspect", "--targets", out)
        for not_built in ["_tests", "_lessons", "weft_bench"]:
            self.assertNotIn(not_built, targets)
        run("ninja", "-C", out, "program")
        self.assertEqual(run(out / "program"), "338350\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
