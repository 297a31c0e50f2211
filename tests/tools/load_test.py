#!/usr/bin/env python3
"""The load generator of ./tools/dev compare: what it makes of servers that do well, badly, or nothing."""
import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "bench" / "compare"))
import peers  # noqa: E402

# A server of one thread for each connection; sys.argv: what it does, "-addr", ADDRESS.
SERVER = r"""
import socket, sys, threading
what, (host, port) = sys.argv[1], sys.argv[3].split(":")
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
def serve(c):
    while text := c.recv(4096):
        if what == "close": return c.close()
        c.sendall({"echo": text, "wrong": b"?" * len(text), "http": HELLO, "halves": HELLO[:20]}.get(what, b"HTTP/1.1 404 Not Found\r\n\r\n"))
        if what == "halves": c.sendall(HELLO[20:])
listener = socket.create_server((host, int(port)), backlog=100)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def loaded(what, *flags):
    server = [sys.executable, "-c", SERVER, what] if what else ["/bin/false"]
    return subprocess.run([LOAD, "-ms", "200", "-warm", "50", *flags, "--", *server], capture_output=True, text=True,
                          timeout=60, check=False)


class load(unittest.TestCase):
    def figures(self, what, *flags):
        done = loaded(what, *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_requests_and_the_servers_cpu_are_counted(self):
        for what, flags in (("echo", ()), ("http", ("-http",)), ("halves", ("-http",))):
            seen = self.figures(what, "-conns", "5", *flags)
            self.assertGreater(seen["ops"], 5)
            self.assertGreaterEqual(seen["asked"], seen["ops"])
            self.assertGreater(seen["cpu_us_per_request"], 1)
            self.assertLessEqual(seen["p50_us"], seen["p99_us"])
            self.assertAlmostEqual(seen["ns_per_op"] * seen["ops"] / 1e6, seen["ms"], delta=1)

    def test_silent_connections_cost_memory_and_no_cpu(self):
        seen = self.figures("echo", "-idle", "20")
        self.assertEqual(seen["ops"], 20)
        self.assertGreater(seen["bytes_per_idle_conn"], 0)  # of 20 threads
        self.assertLess(seen["cpu_us_per_s"], 100_000)

    def test_a_wrong_answer_is_no_result(self):
        for what, flags, said in (("wrong", (), "another's answer"), ("close", (), "closes a connection"),
                                  ("404", ("-http",), "not 200"), (None, (), "the server has ended")):
            done = loaded(what, *flags)
            self.assertEqual((done.returncode, done.stdout), (1, ""), what)
            self.assertIn(said, done.stderr)

    def test_a_server_does_not_outlive_its_load(self):
        with tempfile.TemporaryDirectory() as folder:
            pid = Path(folder) / "pid"
            server = [sys.executable, "-c", f"import os; open({str(pid)!r}, 'w').write(str(os.getpid()))\n{SERVER}", "echo"]
            it = subprocess.Popen([LOAD, "-ms", "60000", "--", *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not (pid.exists() and pid.read_text(encoding="utf-8")):
                time.sleep(0.01)
            it.kill()
            it.wait()
            for _ in range(1000):
                if not Path(f"/proc/{pid.read_text(encoding='utf-8')}/fd/0").exists():
                    return
                time.sleep(0.01)
            self.fail("the server is still there")

    def test_a_wrong_call_ends_with_status_2(self):
        for flags in ([], ["-conns", "0", "--", "x"], ["-conns", "5x", "--", "x"], ["-ms"], ["-bogus", "1", "--", "x"], ["--"]):
            done = subprocess.run([LOAD, *flags], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, flags)
            self.assertEqual(len(done.stderr.splitlines()), 1)


if __name__ == "__main__":
    try:
        LOAD = peers.load_generator()
    except peers.Missing as e:
        sys.exit(f"the load generator does not build: {e}")
    unittest.main()
