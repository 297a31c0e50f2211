#!/usr/bin/env python3
"""The .deb files of `./tools/dev package`: installed in a private root, used and removed.

  package_test.py FOLDER     the folder with libweft1_*.deb and libweft-dev_*.deb
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
folder = None


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=600, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


class packages(unittest.TestCase):
    def test_install_use_remove(self):
        debs = sorted(Path(folder).glob("*.deb"))
        self.assertEqual([d.name.split("_")[0] for d in debs], ["libweft-dev", "libweft1"])
        self.assertRegex(run("dpkg-deb", "-f", debs[1], "Depends"), r"libstdc\+\+6.*liburing2|liburing2.*libstdc\+\+6")
        with tempfile.TemporaryDirectory() as temp:
            root = Path(temp)
            for part in ["var/lib/dpkg/info", "var/lib/dpkg/updates"]:
                (root / part).mkdir(parents=True)
            (root / "var/lib/dpkg/status").touch()
            # What weft's packages depend on is in the machine's root, so dpkg is not to look for it in this one.
            dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--force-script-chrootless"]
            run(*dpkg, "--install", *debs)
            pc = next(root.rglob("weft.pc"))
            flags = run("pkg-config", "--cflags", "--libs", "weft", env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent)})
            program = root / "program"
            run("g++", "-std=c++20", HERE / "program.cc", "-o", program, *flags.split())
            libs = {**os.environ, "LD_LIBRARY_PATH": str(pc.parents[1])}
            self.assertIn("libweft.so.1", run("readelf", "-d", program))
            self.assertEqual(run(program, env=libs), "338350\n")
            run(*dpkg, "--remove", "libweft-dev", "libweft1")
            self.assertEqual([str(p) for p in (root / "usr").rglob("*weft*")] if (root / "usr").exists() else [], [])


if __name__ == "__main__":
    folder = sys.argv.pop(1)
    unittest.main()
