#!/usr/bin/env python3
"""The picture as a page, in a real browser without a screen.

  html_test.py GOROUTINES CONTEXT PARALLELISM     the programs of three sections; skipped, in words, where no Chromium is installed
"""
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

BROWSER = next((at for name in ("chromium", "chromium-browser", "google-chrome") if (at := shutil.which(name))), None)


def pixels(png):
    """The distinct colours of a screenshot: 8-bit RGB or RGBA, not interlaced."""
    at, data, header = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", png[at + 8:at + 8 + length])
        if kind == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    wide, high, depth, colour = header[:4]
    size = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, line, found, before = zlib.decompress(data), wide * size, set(), bytes(wide * size)
    for y in range(high):
        kind, row = raw[y * (line + 1)], bytearray(raw[y * (line + 1) + 1:(y + 1) * (line + 1)])
        for i in range(line):
            left, up = row[i - size] if i >= size else 0, before[i]
            corner = before[i - size] if i >= size else 0
            guess = left + up - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            row[i] = (row[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        found.update(bytes(row[i:i + 3]) for i in range(0, line, size))
        before = bytes(row)
    return found


def body_of(shown):
    """The page without its script."""
    return shown[shown.index("<body>"):shown.index("<script>")]


@unittest.skipUnless(BROWSER, "no chromium here: apt-get install chromium")
class page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def make(self, program, lesson, *flags, maxprocs=2):
        file = self.folder / f"{lesson}.html"
        made = subprocess.run([program, lesson, *flags, f"--maxprocs={maxprocs}", f"--html={file}"], capture_output=True,
                              text=True, timeout=120, check=True)
        return file, made.stdout

    def browse(self, what, *flags):
        return subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,700",
                               "--virtual-time-budget=3000", f"--user-data-dir={self.folder / 'profile'}", *flags, what],
                              capture_output=True, text=True, timeout=120, check=True).stdout

    def test_it_needs_nothing_but_itself(self):
        text = self.make(sys.argv[1], "leak", "--right")[0].read_text(encoding="utf-8")
        self.assertNotRegex(text, r'(src|href)\s*=|@import|url\(|fetch\(|https?://(?!www\.w3\.org/2000/svg)')

    def test_lanes_fibers_and_prints_are_drawn(self):
        file, printed = self.make(sys.argv[2], "propagation", "--variant=failing")
        drawn = body_of(self.browse(f"file://{file}", "--dump-dom"))
        self.assertEqual(re.findall(r">(P\d)</text>", drawn), ["P0", "P1"])
        self.assertRegex(drawn, r'class="(stretch|pack)"')
        self.assertRegex(drawn, r"<td>main</td>")
        for line in printed.splitlines():
            self.assertIn(line, drawn)

    def test_a_fiber_without_a_p_has_a_lane_and_a_shared_cpu_a_mark(self):
        for _ in range(20):  # until a fiber has computed longer than a time slice beside another
            file, _ = self.make(sys.argv[3], "P4", maxprocs=1)
            if re.search(r",-1,-\d+,", file.read_text(encoding="utf-8")):  # no P, and a shared CPU
                break
        drawn = body_of(self.browse(f"file://{file}", "--dump-dom"))
        self.assertEqual(re.findall(r">(P\d|no P)</text>", drawn), ["P0", "no P"])
        self.assertIn('class="stretch shared"', drawn)
        self.assertIn("on a shared CPU", drawn)

    def test_the_moment_in_the_address_is_told_as_a_hover_would(self):
        file, _ = self.make(sys.argv[1], "leak", "--right")
        shown = self.browse(f"file://{file}#P0,0.001", "--dump-dom")
        detail = re.search(r'<p id="detail"[^>]*>([^<]*)', shown)[1]
        self.assertRegex(detail, r"^P0 at [\d.]+ us: (main, fiber 1, on P\d and thread M\d+, from|idle)")

    def test_a_lane_per_fiber_is_a_click_away(self):
        file, _ = self.make(sys.argv[1], "leak", "--right")
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("</body>", "<script>document.getElementById('kind').click()</script></body>"),
                        encoding="utf-8")
        drawn = body_of(self.browse(f"file://{file}", "--dump-dom"))
        self.assertIn(">main</text>", drawn)
        self.assertIn(">fibers 2</text>", drawn)
        self.assertIn("show a lane per P", drawn)

    def test_a_hover_tells_who_runs_there(self):
        file, _ = self.make(sys.argv[1], "leak", "--right")
        text = file.read_text(encoding="utf-8")
        hover = ("<script>{const at = document.querySelector('rect.stretch').getBoundingClientRect();"
                 "document.getElementById('lanes').dispatchEvent(new MouseEvent('mousemove', {bubbles: true,"
                 "clientX: at.left + at.width / 2, clientY: at.top + at.height / 2}));}</script></body>")
        file.write_text(text.replace("</body>", hover), encoding="utf-8")
        shown = self.browse(f"file://{file}", "--dump-dom")
        detail = re.search(r'<p id="detail"[^>]*>([^<]*)', shown)[1]
        self.assertRegex(detail, r"^P\d at .*: \w+, fiber \d+, on P\d and thread M\d+, from .* to ")

    def test_what_is_on_the_screen_has_the_colours_of_the_fibers(self):
        file, _ = self.make(sys.argv[1], "process", "--wrong", "--scale=0.1")
        picture = self.folder / "page.png"
        self.browse(f"file://{file}", f"--screenshot={picture}")
        self.assertIn(bytes.fromhex("a8a8a8"), pixels(picture.read_bytes()), "the main fiber's colour")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
